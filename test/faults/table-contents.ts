import { digestOf } from '../../src/oci/digest.ts';
import type { ProxyFault } from '../support/fault-proxy-faults.ts';
import { middleOf, OWN, SHARED } from './images.ts';
import {
  BLOB_GET,
  BLOB_HEAD,
  MANIFEST_GET,
  MANIFEST_HEAD,
  MANIFEST_PUT,
  OWN_GET,
  OWN_UPLOAD,
  SHARED_END,
  SHARED_GET,
  SHARED_UPLOAD,
} from './kinds.ts';
import type { FaultRow } from './row.ts';

const OTHER = digestOf(Buffer.from('something else'));
const LOGIN_PAGE = {
  body: '<html><body>Please log in to the network</body></html>',
  headers: { 'content-type': 'text/html', 'docker-content-digest': undefined },
} as const;
const DAMAGED = { reported: 'DIGEST_MISMATCH' } as const;

// What runs differ by anyhow: who is first to learn that a registry mounts.
const FEW = 4;

const DIGEST = 'docker-content-digest';
const LENGTH = 'content-length';
const TYPE = 'content-type';

/** Bytes that are not those that were asked for. */
const BODIES: readonly FaultRow[] = [
  ...(
    [
      ['truncated', { truncateTo: middleOf(SHARED) }],
      ['corrupted in its first byte', { corruptAt: 0 }],
      ['corrupted in the middle', { corruptAt: middleOf(SHARED) }],
      ['corrupted in its last byte', { corruptAt: SHARED.size - 1 }],
      ['replaced by a login page', LOGIN_PAGE],
    ] as const
  ).map(
    ([how, effect]): FaultRow => ({
      name: `a layer ${how}`,
      side: 'source',
      faults: [{ ...SHARED_GET, ...effect, times: 1 }],
      expected: 'survived',
      again: 2 * SHARED.size,
      what: 'What was wrong is not committed; the layer is read again.',
    }),
  ),
  {
    name: 'a layer that is too short at the source',
    side: 'source',
    faults: [
      {
        ...BLOB_GET,
        where: ({ path, headers }) => path.endsWith(OWN.digest) && headers.range !== undefined,
        answer: { status: 416, code: 'RANGE_INVALID' },
      },
      { ...OWN_GET, truncateTo: middleOf(OWN) },
    ],
    expected: DAMAGED,
    what: 'The image with this layer is reported; nothing of it is at the destination.',
  },
  ...(
    [
      ['corrupted in the middle, always', { corruptAt: middleOf(OWN) }],
      ['corrupted in its last byte, always', { corruptAt: OWN.size - 1 }],
    ] as const
  ).map(
    ([how, effect]): FaultRow => ({
      name: `a layer ${how}`,
      side: 'source',
      faults: [{ ...OWN_GET, ...effect }],
      expected: DAMAGED,
      attempts: 2,
      what: 'It is read a second time, then the image with this layer is reported.',
    }),
  ),
  ...(
    [
      ['truncated', { truncateTo: 100 }],
      ['corrupted', { corruptAt: 100 }],
      ['replaced by a login page', LOGIN_PAGE],
      [
        'truncated, without a digest in the answer',
        { truncateTo: 100, headers: { [DIGEST]: undefined } },
      ],
    ] as const
  ).map(
    ([how, effect]): FaultRow => ({
      name: `a manifest ${how}`,
      side: 'source',
      faults: [{ ...MANIFEST_GET, ...effect, times: 1 }],
      expected: 'survived',
      what: 'It is read again.',
    }),
  ),
  ...(
    [
      ['truncated, always', { truncateTo: 100 }, 'DIGEST_MISMATCH'],
      ['corrupted, always', { corruptAt: 100 }, 'DIGEST_MISMATCH'],
      ['replaced by a login page, always', LOGIN_PAGE, 'MANIFEST_INVALID'],
    ] as const
  ).map(
    ([how, effect, reported]): FaultRow => ({
      name: `a manifest ${how}`,
      side: 'source',
      faults: [{ ...MANIFEST_GET, ...effect }],
      expected: { reported },
      more: 10,
      what: 'The images are reported, and no blob is sent.',
    }),
  ),
  {
    name: 'a layer corrupted on its way to the destination',
    side: 'destination',
    faults: [{ ...SHARED_UPLOAD, corruptUploadAt: middleOf(SHARED), times: 1 }],
    expected: 'survived',
    what: 'The registry refuses it (DIGEST_INVALID), and it is sent again.',
  },
  {
    name: 'a layer corrupted on its way to the destination, always',
    side: 'destination',
    faults: [{ ...OWN_UPLOAD, corruptUploadAt: middleOf(OWN) }],
    expected: { reported: 'DIGEST_INVALID' },
    what: 'It is sent a second time, then the image with this layer is reported.',
  },
];

/** Answers whose head says something else than their body, or nothing. */
const HEADERS: readonly FaultRow[] = [
  {
    name: 'no Content-Length',
    side: 'both',
    older: true,
    faults: {
      source: heads({ [LENGTH]: undefined }, MANIFEST_HEAD, MANIFEST_GET, BLOB_GET),
      destination: heads({ [LENGTH]: undefined }, MANIFEST_HEAD, BLOB_HEAD),
    },
    expected: 'survived',
    more: FEW,
    what: 'The end of the answer is its end; digests and manifests say how much it should be.',
  },
  {
    name: 'a wrong Content-Length in answers to HEAD',
    side: 'both',
    older: true,
    faults: {
      source: heads({ [LENGTH]: '7' }, MANIFEST_HEAD),
      destination: heads({ [LENGTH]: '7' }, MANIFEST_HEAD, BLOB_HEAD),
    },
    expected: 'survived',
    more: FEW,
    what: 'Nothing depends on it.',
  },
  {
    name: 'a Content-Length that is too large',
    side: 'source',
    faults: [
      { ...MANIFEST_GET, headers: { [LENGTH]: '9000000' }, times: 1 },
      { ...SHARED_GET, headers: { [LENGTH]: `${SHARED.size + 1}` }, times: 1 },
    ],
    expected: 'survived',
    again: middleOf(SHARED),
    what: 'What is missing is asked for again; a blob that is whole is whole.',
  },
  {
    name: 'a Content-Length that is too small',
    side: 'source',
    faults: [
      { ...MANIFEST_GET, headers: { [LENGTH]: '100' }, times: 1 },
      { ...SHARED_GET, headers: { [LENGTH]: '1000' }, times: 1 },
    ],
    expected: 'survived',
    what: 'The rest is asked for again.',
  },
  {
    name: 'no Docker-Content-Digest',
    side: 'both',
    older: true,
    faults: {
      source: heads({ [DIGEST]: undefined }, MANIFEST_HEAD, MANIFEST_GET, BLOB_GET),
      destination: heads({ [DIGEST]: undefined }, MANIFEST_HEAD, MANIFEST_PUT, SHARED_END),
    },
    expected: 'survived',
    what: 'The manifest is fetched, and its digest computed.',
  },
  {
    name: 'a wrong Docker-Content-Digest with a manifest, once',
    side: 'source',
    faults: [{ ...MANIFEST_GET, headers: { [DIGEST]: OTHER }, times: 1 }],
    expected: 'survived',
    what: 'The manifest is read again.',
  },
  {
    name: 'a wrong Docker-Content-Digest with a manifest',
    side: 'source',
    faults: heads({ [DIGEST]: OTHER }, MANIFEST_GET),
    expected: DAMAGED,
    more: 10,
    what: 'The images are reported, and no blob is sent.',
  },
  {
    name: 'a wrong Docker-Content-Digest in answers to HEAD',
    side: 'source',
    older: true,
    faults: heads({ [DIGEST]: OTHER }, MANIFEST_HEAD),
    expected: { reported: 'MANIFEST_UNKNOWN' },
    more: 10,
    what: 'The images are reported: what the registry names it does not have.',
  },
  {
    name: 'a wrong Docker-Content-Digest in answers to HEAD, at the destination',
    side: 'destination',
    faults: heads({ [DIGEST]: OTHER }, MANIFEST_HEAD),
    older: true,
    expected: 'survived',
    what: 'The image is copied: it seems to be another one there.',
  },
  {
    name: 'a wrong Docker-Content-Digest with a blob',
    side: 'both',
    faults: {
      source: heads({ [DIGEST]: OTHER }, BLOB_GET),
      destination: heads({ [DIGEST]: OTHER }, BLOB_HEAD, SHARED_END),
    },
    expected: 'survived',
    what: 'Nothing depends on it: what arrives is hashed, on both sides.',
  },
  {
    name: 'a wrong Docker-Content-Digest for a manifest that was pushed',
    side: 'destination',
    faults: heads({ [DIGEST]: OTHER }, MANIFEST_PUT),
    expected: DAMAGED,
    mayStand: true,
    what: 'The images are reported: the registry says that it has stored something else.',
  },
  ...(
    [
      ['no Content-Type', undefined],
      ['a wrong Content-Type', 'text/plain; charset=utf-8'],
    ] as const
  ).map(
    ([name, type]): FaultRow => ({
      ...{ name, side: 'both', older: true },
      faults: {
        source: heads({ [TYPE]: type }, MANIFEST_HEAD, MANIFEST_GET, BLOB_GET),
        destination: heads({ [TYPE]: type }, MANIFEST_HEAD, MANIFEST_PUT),
      },
      expected: 'survived',
      more: FEW,
      what: 'The manifest says itself what it is.',
    }),
  ),
];

function heads(headers: ProxyFault['headers'] & object, ...kinds: readonly ProxyFault[]) {
  return kinds.map((kind): ProxyFault => ({ ...kind, headers }));
}

/** What an answer holds, and what it says of that. */
export const CONTENTS: readonly FaultRow[] = [...BODIES, ...HEADERS];
