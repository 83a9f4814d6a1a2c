"""What `build_book.py` does, one room for each purpose.

In the order in which a build goes through them: `parameters` reads what the chapters and the command line
say, `analysis` finds the recording, `pages` puts the source together, `chapters` runs the notebooks while
`memory` watches them, `colab` and `status` add what is known only then, and `pages` renders it all; there,
`buttons` has each chapter's page offer its `script` and the ways to run it. `repository` says where the book
is kept, and `terminal` talks to people.
"""
