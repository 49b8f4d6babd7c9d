import type { FaultSubject } from '../support/registry-faults.ts';
import {
  BLOB_GET,
  MANIFEST_GET,
  SHARED_END,
  SHARED_GET,
  SHARED_UPLOAD,
  TOKEN,
  UPLOAD_END,
} from './kinds.ts';
import type { FaultRow } from './row.ts';

/** Tokens that end, and token services in trouble. */
const TOKENS: readonly FaultRow[] = [
  {
    name: 'a token that ends before a download',
    side: 'source',
    faults: [{ ...SHARED_GET, unauthorized: true, times: 1 }],
    expected: 'survived',
    more: 4,
    what: 'A new token is asked for, and the blob again.',
  },
  {
    name: 'a token that ends before the request that closes an upload',
    side: 'destination',
    faults: [{ ...SHARED_END, unauthorized: true, times: 1 }],
    expected: 'survived',
    more: 8,
    what: 'A new token is asked for, and the upload closed with it.',
  },
  {
    name: 'a token that ends before every request that closes an upload',
    side: 'destination',
    faults: [{ ...UPLOAD_END, where: isFirstForBlob, unauthorized: true }],
    expected: 'survived',
    what: 'A new token is asked for each time.',
  },
  {
    name: 'a token that ends during an upload',
    side: 'destination',
    destination: 'short tokens',
    faults: [{ ...SHARED_UPLOAD, wait: 4_500, times: 1 }],
    expected: 'survived',
    what: 'distribution itself refuses the token, and a new one is asked for.',
  },
  {
    name: 'a token that is refused always',
    side: 'both',
    faults: {
      source: [{ ...BLOB_GET, unauthorized: true }],
      destination: [{ ...UPLOAD_END, unauthorized: true }],
    },
    expected: { reported: 'UNAUTHORIZED' },
    attempts: 1,
    what: 'The images are reported at once, since a new token does not help.',
  },
  ...(
    [
      ['is down for a moment', { reset: true, times: 2 }],
      ['answers 503 once', { answer: { status: 503, body: '' }, times: 1 }],
      ['answers 500 once', { answer: { status: 500, body: '' }, times: 1 }],
      ['answers after the connection was cut', { resetAfter: true, times: 1 }],
    ] as const
  ).map(
    ([how, effect]): FaultRow => ({
      name: `a token service that ${how}`,
      side: 'both',
      faults: [{ ...TOKEN, ...effect }],
      expected: 'survived',
      what: 'It is asked again.',
    }),
  ),
  {
    name: 'a token service that is down',
    side: 'both',
    faults: [{ ...TOKEN, reset: true }],
    expected: { reported: 'NETWORK' },
    what: 'The images are reported after the retries.',
  },
  {
    name: 'a token service that answers 500 always',
    side: 'both',
    faults: [{ ...TOKEN, answer: { status: 500, body: '' } }],
    expected: { reported: 'UNAVAILABLE' },
    what: 'The images are reported after the retries.',
  },
  {
    name: 'a token service that refuses the login',
    side: 'both',
    faults: [{ ...TOKEN, answer: { status: 401, code: 'UNAUTHORIZED' } }],
    expected: { reported: 'UNAUTHORIZED' },
    attempts: 1,
    more: 10,
    what: 'The images are reported at once.',
  },
  {
    name: 'a token service that gives no token',
    side: 'both',
    faults: [{ ...TOKEN, body: '<html><body>Please log in to the network</body></html>' }],
    expected: { reported: 'UNAUTHORIZED' },
    attempts: 1,
    more: 10,
    what: 'The images are reported at once.',
  },
];

const seen = new Set<string>();

/** Repositories are those of one trial only. */
function isFirstForBlob({ path, query }: FaultSubject): boolean {
  const digest = query.get('digest');
  const key = `${path.replace(/[^/]*$/, '')} ${digest}`;
  const isFirst = digest !== null && !seen.has(key);
  seen.add(key);
  return isFirst;
}

/** Lists of tags. */
const TAGS: readonly FaultRow[] = [
  ...(['relative', 'absolute'] as const).map(
    (address): FaultRow => ({
      name: `tags in pages with ${address} links`,
      side: 'source',
      images: 'many',
      faults: [
        { class: 'tags', pageSize: 2, address, where: ({ query }) => !query.has('last') },
        { class: 'tags', headers: { 'x-page': 'second' } },
      ],
      expected: 'survived',
      more: 2,
      what: 'All pages are read.',
    }),
  ),
  {
    name: 'tags in pages with a link to another origin',
    side: 'source',
    images: 'many',
    faults: [{ class: 'tags', pageSize: 2, address: 'elsewhere' }],
    expected: { reported: 'LIST_INVALID' },
    more: 0,
    what: 'The rule is reported, and nobody else is asked for tags.',
  },
  {
    name: 'tags in pages that go round in a circle',
    side: 'source',
    images: 'many',
    faults: [
      { class: 'tags', headers: { link: '<?n=2>; rel="next"' }, nth: 1 },
      { class: 'tags', headers: { link: '<?n=2>; rel="next"' }, nth: 2 },
    ],
    expected: 'survived',
    more: 2,
    what: 'No page is read twice.',
  },
  ...(
    [
      ['500 once', { answer: { status: 500, body: '' }, times: 1 }],
      [
        '429 with Retry-After once',
        { answer: { status: 429, headers: { 'retry-after': '1' } }, times: 1 },
      ],
      ['with a cut connection once', { dropAfter: 10, times: 1 }],
    ] as const
  ).map(
    ([how, effect]): FaultRow => ({
      name: `tags answered ${how}`,
      side: 'source',
      images: 'many',
      faults: [{ class: 'tags', ...effect }],
      expected: 'survived',
      more: 4,
      what: 'They are asked for again.',
    }),
  ),
  {
    name: 'tags answered 500 always',
    side: 'source',
    images: 'many',
    faults: [{ class: 'tags', answer: { status: 500, body: '' } }],
    expected: { reported: 'UNAVAILABLE' },
    more: 4,
    what: 'The rule is reported after the retries.',
  },
  {
    name: 'tags of the destination that cannot be listed',
    side: 'destination',
    images: 'many',
    faults: [{ class: 'tags', answer: { status: 403, code: 'DENIED' } }],
    expected: 'survived',
    what: 'Each tag is asked for by itself.',
  },
  {
    name: 'a manifest of another page refused once',
    side: 'source',
    images: 'many',
    faults: [
      { class: 'tags', pageSize: 3, times: 1 },
      { ...MANIFEST_GET, nth: 4, answer: { status: 502, body: '' } },
    ],
    expected: 'survived',
    more: 4,
    what: 'It is asked for again.',
  },
];

/** Who may ask, and what there is. */
export const LOGINS: readonly FaultRow[] = [...TOKENS, ...TAGS];
