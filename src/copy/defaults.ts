/** What stands in for parts that rules leave out. */
export interface Defaults {
  readonly sourceRegistry: string;
  readonly sourceNamespace: string;
  readonly registry?: string | undefined;
  readonly namespace?: string | undefined;
}
