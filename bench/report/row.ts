/** One measured figure. */
export type Row = {
  readonly part: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What DESIGN.md §17 asks for. */
  readonly target?: Target;
  /** How it was measured, where that is not plain. */
  readonly note?: string;
};

export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** Takes rows as they are measured, so that a run that is ended early has shown what it knew. */
export type Report = (row: Row) => void;

export function meets(value: number, target: Target): boolean {
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}
