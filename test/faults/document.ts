import { type FaultRow, sidesOf } from './row.ts';

const INTRODUCTION = `# Faults

Each row is tried by every run of the tests: the copy engine copies between two registries, and a proxy before one of them
makes it fail; \`both\` is tried once at each side. *Survived* means that every image arrives, byte for byte. *Reported*
means that each image that does not arrive says so, with this code and the side that failed. Whichever it is: no tag at the
destination ever names an image that is not whole, no login reaches another origin, and a fault costs a bounded number of
requests.
`;

/** docs/faults.md, as it should be. */
export function documentOf(rows: readonly FaultRow[]): string {
  const lines = rows.map((row) => line(row.name, row.side, outcomeOf(row), row.what));
  const head = [line('fault', 'side', 'outcome', 'what happens'), line('---', '---', '---', '---')];
  return `${INTRODUCTION}\n${[...head, ...lines].join('\n')}\n`;
}

/** The title of the test that tries a row at a side. */
export function titleOf(row: FaultRow, side: string): string {
  const where = sidesOf(row).length > 1 ? `, at the ${side}` : '';
  return `${row.name}${where}: ${outcomeOf(row)}`;
}

function outcomeOf({ expected }: FaultRow): string {
  return expected === 'survived' ? 'survived' : `reported: ${expected.reported}`;
}

function line(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
