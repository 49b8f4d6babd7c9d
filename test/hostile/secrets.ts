import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningRegistry } from '../support/registry.ts';

/** A text of which nothing may be seen, and what it is. */
export interface Secret {
  readonly what: string;
  readonly text: string;
}

/** A text that was written somewhere, and where. */
export interface Written {
  readonly where: string;
  readonly text: string;
}

/** The ways in which a secret may be written down. */
export function formsOf(text: string): readonly string[] {
  const base64 = Buffer.from(text).toString('base64').replace(/=+$/, '');
  const inner = JSON.stringify(text).slice(1, -1);
  return [
    ...new Set([
      ...[
        text,
        inner,
        JSON.stringify(inner).slice(1, -1),
        encodeURIComponent(text),
        encodeURI(text),
      ],
      ...[`${new URLSearchParams({ x: text })}`.slice(2), base64, base64.replace(/\+/g, '-')],
      ...[Buffer.from(text).toString('base64url'), Buffer.from(text).toString('hex')],
    ]),
  ];
}

/** Fails where a secret can be read in any of its forms. */
export function assertUnseen(secrets: readonly Secret[], written: readonly Written[]): void {
  const forms = secrets.flatMap(({ what, text }) => formsOf(text).map((form) => ({ what, form })));
  for (const { where, text } of written) {
    const seen = forms.filter(({ form }) => text.includes(form)).map(({ what }) => what);
    assert.deepEqual(seen, [], `seen in ${where}`);
  }
}

/** What registries were shown by those who logged in, and what they told in turn to nobody else. */
export function secretsSeenBy(registries: readonly RunningRegistry[]): readonly Secret[] {
  const records = registries.flatMap(({ log }) => log.records);
  const logins = records.flatMap(({ headers }) => headers.authorization ?? []);
  const queries = ['signature', '_state'].flatMap((what) =>
    records.flatMap(({ query }) => ({ what, text: query.get(what) ?? '' })),
  );
  const secrets = [
    ...logins.map((login) => ({ what: login.slice(0, 6), text: login.replace(/^\S+ /, '') })),
    ...queries.filter(({ text }) => text !== ''),
  ];
  return [...new Map(secrets.map((secret) => [secret.text, secret])).values()];
}

/** Every file below a folder, but for those that are there to hold secrets. */
export async function writtenBelow(
  folder: string,
  except: readonly string[],
): Promise<readonly Written[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const wanted = paths.filter((path) => !except.includes(path));
  return Promise.all(
    wanted.map(async (path) => ({ where: path, text: await readFile(path, 'utf8') })),
  );
}
