/**
 * Rows in columns: each as wide as its longest cell, nothing cut, no spaces at the end of a line.
 *
 * @param gap - what stands between two columns
 */
export function aligned(rows: readonly (readonly string[])[], gap: string): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}
