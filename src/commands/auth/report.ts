import type { Explanation } from '../../copy/report.ts';
import { counted } from '../../progress/format.ts';
import { printable } from '../../text/printable.ts';
import { aligned } from '../table.ts';

/** What became of one login that was tried. */
export interface LoginCheck {
  readonly registry: string;
  /** the one that it was tried on; where only the login was tried, the path of its entry, or nothing */
  readonly repository: string;
  readonly right: 'pull' | 'push' | 'login';
  /** where the login came from; left out where it could not be had */
  readonly origin?: string;
  readonly status: 'ok' | 'failed';
  readonly note?: string;
  readonly error?: Explanation;
}

/** What `auth check -o json` prints. */
export interface AuthReport {
  readonly apiVersion: 'migrate-images/v1';
  readonly kind: 'AuthReport';
  readonly summary: { readonly checked: number; readonly failed: number };
  readonly checks: readonly LoginCheck[];
}

export function reportOf(checks: readonly LoginCheck[]): AuthReport {
  const failed = checks.filter(({ status }) => status === 'failed').length;
  const summary = { checked: checks.length, failed };
  return { apiVersion: 'migrate-images/v1', kind: 'AuthReport', summary, checks };
}

const WIDTH = 80;
const INDENT = '  ';
const MAXIMUM_REMARK = 1000;
const HEAD = ['RESULT', 'RIGHT', 'LOGIN', 'REPOSITORY'];

/**
 * The report as text, ending with a line break: a table whose last column is the one that may be long, and
 * below a row what is to be said of it.
 *
 * @param home - the user's folder, for which `~` is written
 */
export function formatReport({ checks, summary }: AuthReport, home: string): string {
  const [head = '', ...rows] = aligned(
    [HEAD, ...checks.map((check) => rowOf(check, home))],
    INDENT,
  );
  const lines = [
    head,
    ...rows.flatMap((row, index) => [row, ...remarksOn(checks[index]).flatMap(wrapped)]),
    `${counted(summary.checked, 'check')}, ${summary.failed} failed`,
  ];
  return `${lines.join('\n')}\n`;
}

function rowOf(check: LoginCheck, home: string): readonly string[] {
  const { registry, repository, right, status, origin = '<unknown>' } = check;
  const shown =
    home !== '' && origin.startsWith(`${home}/`) ? `~${origin.slice(home.length)}` : origin;
  const name = printable(repository === '' ? registry : `${registry}/${repository}`);
  return [status, right, shown, name];
}

function remarksOn(check: LoginCheck | undefined): readonly string[] {
  const { note, error } = check ?? {};
  return [note, error && `${error.message} [${error.code}]`, error?.hint].filter(
    (remark) => remark !== undefined,
  );
}

/** Breaks a text at spaces, so that it fits where it can; an error may quote what people wrote. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of printable(text, MAXIMUM_REMARK).split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${INDENT}${word}`);
  }
  return lines;
}
