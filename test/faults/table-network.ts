import { LARGE, middleOf, OWN, SHARED } from './images.ts';
import {
  BLOB_GET,
  forEachKind,
  LARGE_GET,
  LARGE_PIECES,
  LARGE_UPLOAD,
  MANIFEST_GET,
  MANIFEST_HEAD,
  MANIFEST_PUT,
  OWN_GET,
  OWN_PIECES,
  OWN_UPLOAD,
  SHARED_GET,
  SHARED_UPLOAD,
  UPLOAD_END,
  UPLOAD_POST,
} from './kinds.ts';
import type { FaultRow } from './row.ts';

const MIDDLE = middleOf(SHARED);
// What may be on its way when a connection breaks.
const UNDER_WAY = 128 * 1024;
// A layer is tried four times in each of four attempts; a try opens an upload, sends, asks and gives up.
const TRIES = 4 * 4;
const REQUESTS_A_TRY = 5;
const NEVER = new Promise<never>(() => undefined);

/** Connections that are refused, cut, or fall silent. */
export const NETWORK: readonly FaultRow[] = [
  {
    name: 'connection refused from the beginning',
    side: 'both',
    gone: true,
    faults: [],
    expected: { reported: 'NETWORK' },
    what: 'Each image is reported with the host that refuses.',
  },
  {
    name: 'connection refused for 3 s in the middle of a run',
    side: 'both',
    // Stands for the half minute that a registry takes to start anew.
    faults: {
      source: [{ ...SHARED_GET, away: 3_000, times: 1 }],
      destination: [{ ...SHARED_UPLOAD, away: 3_000, times: 1 }],
    },
    expected: 'survived',
    what: 'All requests to the host wait until it answers again, and the run goes on from there.',
  },
  {
    name: 'connection refused from the middle of a run on',
    side: 'both',
    awayMs: 200,
    // Each of eight blobs is looked for, and its upload opened and given up, in each of four attempts.
    more: 8 * 4 * 3,
    faults: {
      source: [{ ...SHARED_GET, away: Number.POSITIVE_INFINITY, times: 1 }],
      destination: [{ ...SHARED_UPLOAD, away: Number.POSITIVE_INFINITY, times: 1 }],
    },
    expected: { reported: 'NETWORK' },
    what: 'The host is waited for as long as a registry may be away, then each image is reported.',
  },
  {
    name: 'connection reset before the answer',
    side: 'both',
    older: true,
    faults: forEachKind({ reset: true, times: 1 }),
    expected: 'survived',
    what: 'The request is made again, whatever it was for.',
  },
  {
    name: 'connection reset before the answer, three times in a row',
    side: 'both',
    faults: {
      source: [{ ...MANIFEST_GET, reset: true, times: 3 }],
      destination: [{ ...MANIFEST_HEAD, reset: true, times: 3 }],
    },
    expected: 'survived',
    what: 'The request is made up to three times more.',
  },
  {
    name: 'connection reset before every answer',
    side: 'both',
    faults: {
      source: [{ class: 'manifest', reset: true }],
      destination: [{ class: 'manifest', reset: true }],
    },
    expected: { reported: 'NETWORK' },
    what: 'The image is reported after the retries of its requests and of the image.',
  },
  {
    name: 'connection reset after the request was done',
    side: 'both',
    older: true,
    faults: forEachKind({ resetAfter: true, times: 1 }),
    expected: 'survived',
    what: 'The request is made again, and finds its own work.',
  },
  {
    name: 'connection reset after every manifest was stored',
    side: 'destination',
    faults: [{ ...MANIFEST_PUT, resetAfter: true }],
    expected: { reported: 'NETWORK' },
    mayStand: true,
    what: 'The images are reported, since nobody has said that they are there; the next run finds them.',
  },
  ...(
    [
      ['after the first byte', 1],
      ['in the middle', MIDDLE],
      ['before the last byte', SHARED.size - 1],
    ] as const
  ).flatMap(([where, bytes]): readonly FaultRow[] => [
    {
      name: `download cut ${where}`,
      side: 'source',
      faults: [{ ...SHARED_GET, dropAfter: bytes, times: 1 }],
      expected: 'survived',
      again: UNDER_WAY,
      what: 'The rest is asked for by Range.',
    },
    {
      name: `upload cut ${where}`,
      side: 'destination',
      faults: [{ ...SHARED_UPLOAD, dropUploadAfter: bytes, times: 1 }],
      expected: 'survived',
      again: SHARED.size,
      what: 'distribution 2.8 does not say what it has: the blob is sent again in a new session.',
    },
    {
      name: `upload cut ${where}, to a registry that resumes`,
      side: 'destination',
      destination: 'resumable',
      faults: [{ ...SHARED_UPLOAD, dropUploadAfter: bytes, times: 1 }],
      expected: 'survived',
      again: UNDER_WAY,
      what: 'The upload goes on from the byte that the registry confirms.',
    },
  ]),
  {
    name: 'download cut in the middle, from a server without ranges',
    side: 'source',
    faults: [
      { ...SHARED_GET, dropAfter: MIDDLE, times: 1 },
      { ...BLOB_GET, where: ({ headers }) => headers.range !== undefined, ignore: 'range' },
    ],
    expected: 'survived',
    again: SHARED.size,
    what: 'The blob is read again from the beginning, and what was there already is skipped.',
  },
  {
    name: 'download cut after every 64 KiB',
    side: 'source',
    faults: [{ ...SHARED_GET, dropAfter: 64 * 1024 }],
    expected: 'survived',
    again: UNDER_WAY,
    what: 'As long as bytes come, the rest is asked for again.',
  },
  {
    name: 'download cut before every first byte',
    side: 'source',
    faults: [{ ...OWN_GET, dropAfter: 0 }],
    expected: { reported: 'NETWORK' },
    what: 'The image with this layer is reported; nothing of it is at the destination.',
  },
  {
    name: 'upload cut whenever a layer is sent as a whole',
    side: 'destination',
    faults: [{ ...OWN_UPLOAD, dropUploadAfter: OWN.size - 1 }],
    expected: 'survived',
    again: 2 * OWN.size,
    what: 'It is sent in pieces.',
  },
  {
    name: 'upload cut always',
    side: 'destination',
    faults: [{ ...OWN_PIECES, dropUploadAfter: 1 }],
    expected: { reported: 'NETWORK' },
    more: TRIES * REQUESTS_A_TRY,
    what: 'The image with this layer is reported after the retries.',
  },
  {
    name: 'download stalls',
    side: 'source',
    images: 'large',
    idleMs: 400,
    faults: [{ ...LARGE_GET, stallAfter: middleOf(LARGE), times: 1 }],
    expected: 'survived',
    again: UNDER_WAY,
    what: 'After a while without a byte the connection is given up, and the rest asked for by Range.',
  },
  {
    name: 'download stalls always',
    side: 'source',
    images: 'large',
    idleMs: 400,
    faults: [{ ...LARGE_GET, stallAfter: 0 }],
    expected: { reported: 'NETWORK' },
    what: 'The image is reported: the transfer stalled.',
  },
  {
    name: 'upload stalls',
    side: 'destination',
    images: 'large',
    idleMs: 400,
    faults: [{ ...LARGE_UPLOAD, stallUploadAfter: 64 * 1024, times: 1 }],
    expected: 'survived',
    what: 'When no byte was taken for a while the connection is given up, and the blob sent again.',
  },
  {
    name: 'upload stalls whenever a layer is sent as a whole',
    side: 'destination',
    images: 'large',
    idleMs: 400,
    faults: [{ ...LARGE_UPLOAD, stallUploadAfter: 64 * 1024 }],
    expected: 'survived',
    what: 'It is sent in pieces.',
  },
  {
    name: 'upload stalls always',
    side: 'destination',
    images: 'large',
    idleMs: 400,
    faults: [{ ...LARGE_PIECES, stallUploadAfter: 1_000 }],
    expected: { reported: 'NETWORK' },
    more: TRIES * REQUESTS_A_TRY,
    what: 'The image is reported: the transfer stalled.',
  },
  {
    name: 'no answer to a request',
    side: 'both',
    idleMs: 400,
    faults: {
      source: [{ ...MANIFEST_GET, wait: NEVER, times: 1 }],
      destination: [{ ...UPLOAD_POST, wait: NEVER, times: 1 }],
    },
    expected: 'survived',
    what: 'After a while the request is made again.',
  },
  {
    name: 'an answer that takes its time',
    side: 'destination',
    faults: [{ ...UPLOAD_END, wait: 500, times: 2 }],
    expected: 'survived',
    // What runs differ by anyhow: who is first to learn that a registry mounts.
    more: 4,
    what: 'It is waited for.',
  },
];
