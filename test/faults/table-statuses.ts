import type { FaultAnswer } from '../support/registry-faults.ts';
import {
  forEachKind,
  MANIFEST_GET,
  MANIFEST_HEAD,
  MANIFEST_PUT,
  OWN_END,
  OWN_GET,
  UPLOAD_POST,
} from './kinds.ts';
import type { FaultRow } from './row.ts';

const TRANSIENT = [408, 429, 500, 502, 503, 504] as const;
const NO_WORDS = '<html><body>Something went wrong</body></html>';

/** Whatever stands before a registry knows no JSON. */
function page(status: number, headers: FaultAnswer['headers'] = {}): FaultAnswer {
  return { status, headers: { 'content-type': 'text/html', ...headers }, body: NO_WORDS };
}

/** The same with a Retry-After that names the second after the next one, at the time of the answer. */
function dated(status: number): FaultAnswer {
  return {
    ...{ status, body: NO_WORDS },
    get headers() {
      return { 'retry-after': new Date(Date.now() + 2_000).toUTCString() };
    },
  };
}

// The registry is itself again before the client may ask it.
const LASTS_MS = 900;

/** Answers that tell a client to try again later, or not at all. */
export const STATUSES: readonly FaultRow[] = [
  ...TRANSIENT.flatMap((status): readonly FaultRow[] => [
    {
      name: `${status}`,
      side: 'both',
      older: true,
      faults: forEachKind({ answer: page(status), times: 1 }),
      expected: 'survived',
      what: 'The request is made again after a pause, whatever it was for.',
    },
    {
      name: `${status} with Retry-After in seconds`,
      side: 'both',
      faults: {
        source: [{ answer: page(status, { 'retry-after': '1' }), ...MANIFEST_GET, ...lasting() }],
        destination: [
          { answer: page(status, { 'retry-after': '1' }), ...MANIFEST_HEAD, ...lasting() },
        ],
      },
      expected: 'survived',
      more: 20,
      what: waiting(status),
    },
    {
      name: `${status} with Retry-After as a date`,
      side: 'both',
      faults: {
        source: [{ answer: dated(status), ...MANIFEST_GET, ...lasting() }],
        destination: [{ answer: dated(status), ...MANIFEST_HEAD, ...lasting() }],
      },
      expected: 'survived',
      more: 20,
      what: waiting(status),
    },
  ]),
  {
    name: '429 for all requests, with Retry-After, in the middle of a run',
    side: 'both',
    faults: {
      source: [{ answer: page(429, { 'retry-after': '1' }), class: 'blob', ...lasting() }],
      destination: [{ answer: page(429, { 'retry-after': '1' }), class: 'upload', ...lasting() }],
    },
    expected: 'survived',
    what: 'All requests to the host wait, as long as it says.',
  },
  {
    name: '429 always, with a Retry-After of an hour',
    side: 'both',
    faults: {
      source: [{ answer: page(429, { 'retry-after': '3600' }), class: 'manifest' }],
      destination: [{ answer: page(429, { 'retry-after': '3600' }), class: 'manifest' }],
    },
    expected: { reported: 'TOOMANYREQUESTS' },
    attempts: 1,
    more: 10,
    what: 'Nobody waits for an hour: the images are reported at once, with the time to come back.',
  },
  {
    name: '429 always',
    side: 'both',
    faults: {
      source: [{ answer: page(429, { 'retry-after': '0' }), class: 'manifest' }],
      destination: [{ answer: page(429, { 'retry-after': '0' }), class: 'manifest' }],
    },
    expected: { reported: 'TOOMANYREQUESTS' },
    what: 'The images are reported when the host has refused too often.',
  },
  {
    name: '503 always',
    side: 'both',
    faults: {
      source: [{ answer: page(503, { 'retry-after': '0' }), class: 'manifest' }],
      destination: [{ answer: page(503, { 'retry-after': '0' }), class: 'manifest' }],
    },
    expected: { reported: 'UNAVAILABLE' },
    what: 'The images are reported when the host has refused too often.',
  },
  {
    name: '500 always, for a layer',
    side: 'both',
    faults: {
      source: [{ answer: page(500), ...OWN_GET }],
      destination: [{ answer: page(500), ...OWN_END }],
    },
    expected: { reported: 'UNAVAILABLE' },
    attempts: 4,
    // Four tries in each of four attempts, each of which opens an upload, sends twice, looks, asks and gives up.
    more: 4 * 4 * 7,
    what: 'The image with this layer is reported after the retries.',
  },
  {
    name: '500 always, for every upload',
    side: 'destination',
    faults: [{ answer: page(500), ...UPLOAD_POST }],
    expected: { reported: 'UNAVAILABLE' },
    // Eight blobs, four times in each of four attempts.
    more: 8 * 4 * 4,
    what: 'The images are reported after the retries.',
  },
  {
    name: '500 after the work was done',
    side: 'destination',
    older: true,
    faults: forEachKind({ answerAfter: page(500), times: 1 }).destination,
    expected: 'survived',
    what: 'The request is made again, and finds its own work.',
  },
  {
    name: '500 to every push of a manifest',
    side: 'destination',
    faults: [{ answer: page(500), ...MANIFEST_PUT }],
    expected: { reported: 'UNAVAILABLE' },
    attempts: 4,
    what: 'The images are reported; their blobs are there for the next run.',
  },
  {
    name: 'disk full (507)',
    side: 'destination',
    faults: [{ answer: page(507), class: 'upload', method: 'PUT' }],
    expected: { reported: 'UNAVAILABLE' },
    attempts: 1,
    more: 20,
    what: 'The images are reported at once: a moment does not help.',
  },
  ...([403, 404, 413] as const).map((status): FaultRow => {
    const code = { 403: 'DENIED', 404: 'NAME_UNKNOWN', 413: 'TOO_LARGE' }[status];
    return {
      name: `an upload answered ${status}`,
      side: 'destination',
      faults: [{ ...UPLOAD_POST, answer: { status, code } }],
      expected: { reported: code },
      attempts: 1,
      more: 20,
      what: 'The images are reported at once: asking again does not help.',
    };
  }),
  ...([403, 404] as const).map((status): FaultRow => {
    const code = { 403: 'DENIED', 404: 'BLOB_UNKNOWN' }[status];
    return {
      name: `a layer answered ${status}`,
      side: 'source',
      faults: [{ ...OWN_GET, answer: { status, code } }],
      expected: { reported: code },
      attempts: 1,
      more: 20,
      what: 'The image with this layer is reported at once.',
    };
  }),
  {
    name: 'an image that is not there',
    side: 'source',
    faults: [{ class: 'manifest', answer: { status: 404, code: 'MANIFEST_UNKNOWN' } }],
    expected: { reported: 'MANIFEST_UNKNOWN' },
    attempts: 1,
    more: 0,
    what: 'The image is reported at once, and nothing is sent.',
  },
];

function lasting() {
  return { lasts: LASTS_MS };
}

function waiting(status: number): string {
  return status === 429 || status === 503
    ? 'All requests to the host wait as long as it says.'
    : 'The request is made again when the time that it says is over.';
}
