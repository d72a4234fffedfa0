/**
 * A number the model takes from outside, with where it comes from. `published` names the page it was read on; `recalled`
 * the page that should have it, which was not read; `assumed` says why this and not another.
 */
export type Limit = { readonly value: number; readonly unit: string } & (
  | { readonly published: string }
  | { readonly recalled: string }
  | { readonly template: string }
  | { readonly code: string }
  | { readonly assumed: string }
);
