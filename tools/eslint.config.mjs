// What the scripts of the pictures to touch and of the pages are checked for. A picture's script is put together from
// the files that its Python module names, so a name may be defined in another file, and used in none.
export default [
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "script" },
    linterOptions: { reportUnusedDisableDirectives: true },
    rules: {
      "array-callback-return": "error", "consistent-return": "off", "curly": ["error", "multi-line"], "eqeqeq": "error",
      "no-const-assign": "error", "no-dupe-keys": "error", "no-eval": "error", "no-fallthrough": "error",
      "no-implicit-coercion": "error", "no-loss-of-precision": "error", "no-redeclare": "error",
      "no-self-assign": "error", "no-shadow": "error", "no-unreachable": "error", "no-unsafe-finally": "error",
      "no-unused-vars": ["error", { vars: "local" }], "no-use-before-define": ["error", { functions: false, variables: false }],
      "no-var": "error", "prefer-const": "error", "use-isnan": "error", "valid-typeof": "error",
    },
  },
];
