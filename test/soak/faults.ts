import type { Fault } from '../support/registry-faults.ts';
import type { Dice } from './dice.ts';

const STATUSES = [400, 401, 403, 404, 408, 429, 500, 502, 503, 504];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const CLASSES = ['manifest', 'blob', 'upload', 'mount', 'tags', undefined] as const;

/** Some things that go wrong at a registry, a few times each. */
export function someFaults(dice: Dice): readonly Fault[] {
  return Array.from({ length: dice.below(5) }, () => {
    const at = dice.pick(CLASSES);
    return {
      ...(at ? { class: at } : {}),
      ...(dice.once(2) ? { method: dice.pick(METHODS) } : {}),
      ...(dice.once(2) ? { every: 1 + dice.below(5) } : {}),
      times: 1 + dice.below(4),
      ...effect(dice),
    };
  });
}

function effect(dice: Dice): Fault {
  const status = dice.pick(STATUSES);
  const bytes = dice.pick([0, 1, 500, 4_000, 100_000]);
  const effects: readonly Fault[] = [
    { reset: true },
    { resetAfter: true },
    { answer: { status } },
    { answer: { status: dice.pick([429, 503]), headers: { 'retry-after': '0' } } },
    { answerAfter: { status } },
    { unauthorized: true },
    { dropAfter: bytes },
    { dropUploadAfter: Math.max(1, bytes) },
    { stallAfter: bytes },
    { truncateTo: bytes },
    { corruptAt: bytes },
    { ignore: 'mount' },
    { ignore: 'range' },
    { headers: { 'docker-content-digest': undefined } },
    { headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } },
    { headers: { 'content-type': 'text/plain' } },
    { headers: { location: undefined } },
    { headers: { range: '0-999' } },
    { body: '{"errors": [{"code": "UNKNOWN"}]}' },
    { body: '<html>' },
    { redirect: 307 },
  ];
  return dice.pick(effects);
}
