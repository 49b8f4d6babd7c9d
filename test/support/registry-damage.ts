import { type Answer, answer, answerErrors } from './registry-answer.ts';
import type { Fault, FaultAnswer } from './registry-faults.ts';

/** The answer that a fault or a refusal names. */
export function answerOf({ status, headers, body, code }: FaultAnswer): Answer {
  if (body !== undefined) return answer(status, headers, Buffer.from(body));
  return answerErrors(status, [{ code: code ?? CODES[status] ?? 'UNKNOWN' }], headers);
}

/** What the fault makes of an answer before it is sent. */
export function damaged(result: Answer, fault: Fault | undefined): Answer {
  if (!fault) return result;
  const replaced = fault.body === undefined ? result.body : Buffer.from(fault.body);
  const body = Buffer.from(replaced.subarray(0, fault.truncateTo ?? replaced.length));
  if (fault.corruptAt !== undefined && fault.corruptAt < body.length)
    body[fault.corruptAt] = (body[fault.corruptAt] ?? 0) ^ 0xff;
  const length = { 'content-length': `${body.length}` };
  const changes = Object.entries(fault.headers ?? {});
  const removed = changes.filter(([, value]) => value === undefined).map(([name]) => name);
  const headers = Object.fromEntries(
    Object.entries({ ...result.headers, ...length, ...fault.headers }).filter(
      (entry): entry is [string, string] => !removed.includes(entry[0]) && entry[1] !== undefined,
    ),
  );
  return { status: result.status, headers, body };
}

/** Waits as a fault says, but no longer than the client does. */
export async function pause(wait: Fault['wait'], closed: Promise<unknown>): Promise<void> {
  if (wait === undefined) return;
  if (typeof wait !== 'number') return void (await Promise.race([wait, closed]));
  let timeout: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timeout = setTimeout(resolve, wait);
  });
  await Promise.race([passed, closed]);
  clearTimeout(timeout);
}

const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'NAME_UNKNOWN',
  405: 'UNSUPPORTED',
  429: 'TOOMANYREQUESTS',
};
