import { middleOf, SHARED } from './images.ts';
import {
  BLOB_GET,
  BLOB_HEAD,
  MANIFEST_HEAD,
  MANIFEST_PUT,
  MOUNT,
  OWN_END,
  OWN_GET,
  SHARED_END,
  UPLOAD_END,
  UPLOAD_POST,
} from './kinds.ts';
import type { FaultRow } from './row.ts';

// What runs differ by anyhow: who is first to learn that a registry mounts.
const FEW = 4;

/** What 401 means depends on the side: a login that is not taken, or a repository that is not there yet (Quay). */
const UNAUTHORIZED: readonly FaultRow[] = [
  {
    name: 'HEAD of manifests answered 401, at a source',
    side: 'source',
    older: true,
    faults: [{ ...MANIFEST_HEAD, answer: { status: 401 } }],
    expected: { reported: 'UNAUTHORIZED' },
    what: 'The images are reported: the login is not taken.',
  },
  {
    name: 'HEAD of manifests answered 401, at a destination',
    side: 'destination',
    older: true,
    faults: [{ ...MANIFEST_HEAD, answer: { status: 401 } }],
    expected: 'survived',
    what: 'The image is copied as if it were new: some registries say so of repositories that are not there yet.',
  },
];

/** HEAD where a registry does not do HEAD. */
const HEADS: readonly FaultRow[] = ([400, 401, 403, 405, 501] as const).flatMap(
  (status): readonly FaultRow[] => [
    ...(status === 401
      ? UNAUTHORIZED
      : [
          {
            name: `HEAD of manifests answered ${status}`,
            side: 'both',
            older: true,
            faults: [{ ...MANIFEST_HEAD, answer: { status } }],
            expected: 'survived',
            what: 'The manifest is asked for by GET.',
          } as const,
        ]),
    {
      name: `HEAD of blobs answered ${status}`,
      side: 'destination',
      faults: [{ ...BLOB_HEAD, answer: { status } }],
      expected: 'survived',
      what: 'The blob is sent: the registry takes it whether it has it or not.',
    },
  ],
);

/** What registries say to a request for a mount. */
const MOUNTS: readonly FaultRow[] = [
  {
    name: 'a mount answered 201, and nothing else',
    side: 'destination',
    faults: [{ ...MOUNT, answerAfter: { status: 201, body: '' } }],
    expected: 'survived',
    what: 'The blob is there.',
  },
  {
    name: 'a mount answered 202',
    side: 'destination',
    faults: [{ ...MOUNT, ignore: 'mount' }],
    expected: 'survived',
    what: 'The session that it opens takes the blob.',
  },
  ...([400, 401, 403, 404, 405] as const).map(
    (status): FaultRow => ({
      name: `a mount answered ${status}`,
      side: 'destination',
      faults: [{ ...MOUNT, answer: { status } }],
      expected: 'survived',
      what: 'The blob is uploaded.',
    }),
  ),
  {
    name: 'a mount answered 201 that did not happen',
    side: 'destination',
    faults: [{ ...MOUNT, answer: { status: 201, body: '' } }],
    expected: 'survived',
    what: 'The push of the manifest shows what is missing, and it is sent.',
  },
];

/** Sessions that vanish, and where they are. */
const SESSIONS: readonly FaultRow[] = [
  {
    name: 'an upload session that vanishes',
    side: 'destination',
    faults: [{ ...SHARED_END, answer: { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' }, times: 1 }],
    expected: 'survived',
    what: 'The blob is sent in a new session.',
  },
  {
    name: 'upload sessions that vanish always',
    side: 'destination',
    faults: [{ ...OWN_END, answer: { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' } }],
    expected: { reported: 'BLOB_UPLOAD_UNKNOWN' },
    what: 'The image with this layer is reported after some new sessions.',
  },
  {
    name: 'an upload without a Location',
    side: 'destination',
    faults: [{ ...UPLOAD_POST, headers: { location: undefined } }],
    expected: { reported: 'REFUSED' },
    what: 'The images are reported: the registry does not say where to send the blob.',
  },
  ...(
    [
      ['relative', 'It is taken below the registry.'],
      ['absolute', 'It is taken as it is.'],
    ] as const
  ).map(
    ([address, what]): FaultRow => ({
      name: `a Location that is ${address}`,
      side: 'destination',
      faults: [
        { ...UPLOAD_POST, address },
        { ...MOUNT, address },
      ],
      expected: 'survived',
      more: FEW,
      what,
    }),
  ),
  {
    name: 'a Location with a query of its own',
    side: 'destination',
    faults: [
      { ...UPLOAD_POST, address: 'with a query' },
      // Says nothing to the client, but happens only where the query came back.
      {
        ...{ method: 'PUT', class: 'upload', headers: { 'x-query': 'kept' } },
        where: ({ query }) => query.get('upload') === 'a b/~*' && query.has('_state'),
      },
    ],
    expected: 'survived',
    more: FEW,
    what: 'The query is kept as it is, with the digest added.',
  },
  {
    name: 'a Location on another host',
    side: 'destination',
    faults: [
      { ...UPLOAD_POST, address: 'elsewhere' },
      { class: 'elsewhere', method: 'PUT', headers: { 'x-host': 'another' } },
    ],
    expected: 'survived',
    what: 'The blob is sent there, and the login is not.',
  },
];

/** Blobs that a registry leaves to a storage service. */
const REDIRECTS: readonly FaultRow[] = [
  ...([301, 302, 303, 307, 308] as const).map(
    (redirect): FaultRow => ({
      name: `a blob redirected (${redirect}) to another origin`,
      side: 'source',
      faults: [
        { ...BLOB_GET, redirect },
        { class: 'elsewhere', headers: { 'x-host': 'another' } },
      ],
      expected: 'survived',
      again: 0,
      what: 'It is read there, and the login stays with the registry.',
    }),
  ),
  ...(
    [
      ['answers 403 once', { answer: { status: 403 } }, 'An address that has ended'],
      ['answers 503 once', { answer: { status: 503 } }, 'Trouble of the storage service'],
      ['is cut in the middle', { dropAfter: middleOf(SHARED) }, 'A broken connection'],
    ] as const
  ).map(
    ([how, effect, cause]): FaultRow => ({
      name: `a blob redirected to another origin, which ${how}`,
      side: 'source',
      faults: [
        { ...BLOB_GET, redirect: 307 },
        {
          ...{ class: 'elsewhere', times: 1, ...effect },
          where: ({ path }) => path.endsWith(SHARED.digest),
        },
      ],
      expected: 'survived',
      again: 128 * 1024,
      what: `${cause} is no word of the registry: it is asked for a new address.`,
    }),
  ),
  {
    name: 'a blob redirected to another origin, which answers 403 always',
    side: 'source',
    faults: [
      { ...BLOB_GET, redirect: 307 },
      { class: 'elsewhere', answer: { status: 403 } },
    ],
    expected: { reported: 'DENIED' },
    what: 'The images are reported, with the name of the host that refuses.',
  },
  {
    name: 'a blob redirected in a circle',
    side: 'source',
    faults: [{ ...OWN_GET, answer: { status: 307, headers: { location: '?again' }, body: '' } }],
    expected: { reported: 'REFUSED' },
    what: 'The circle is left after some turns, and the image with this layer is reported.',
  },
];

/** Manifests that a registry does not take. */
const MANIFESTS: readonly FaultRow[] = [
  {
    name: 'MANIFEST_BLOB_UNKNOWN to a manifest',
    side: 'destination',
    faults: [{ ...MANIFEST_PUT, answer: { status: 400, code: 'MANIFEST_BLOB_UNKNOWN' }, times: 1 }],
    expected: 'survived',
    what: 'The blobs that the registry claimed to have are sent, then the manifest again.',
  },
  {
    name: 'blobs that the registry claims to have',
    side: 'destination',
    faults: [{ ...BLOB_HEAD, answer: { status: 200 } }],
    expected: 'survived',
    what: 'The push of the manifest shows what is missing, and it is sent.',
  },
  {
    name: 'MANIFEST_BLOB_UNKNOWN to every manifest',
    side: 'destination',
    faults: [{ ...MANIFEST_PUT, answer: { status: 400, code: 'MANIFEST_BLOB_UNKNOWN' } }],
    expected: { reported: 'MANIFEST_BLOB_UNKNOWN' },
    attempts: 1,
    what: 'The images are reported after their blobs were sent once more.',
  },
  ...(
    [
      [409, 'TAG_INVALID'],
      [400, 'TAG_INVALID'],
      [403, 'DENIED'],
      [412, 'TAG_INVALID'],
    ] as const
  ).map(
    ([status, code]): FaultRow => ({
      name: `an immutable tag (${status} ${code})`,
      side: 'destination',
      older: true,
      faults: [
        {
          ...{ ...MANIFEST_PUT, answer: { status, code } },
          where: ({ path }) => !path.includes('sha256:'),
        },
      ],
      expected: { reported: code },
      attempts: 1,
      more: FEW,
      what: 'The images are reported at once, and the tags name what they named before.',
    }),
  ),
  {
    name: 'an upload that the registry ends with another status',
    side: 'destination',
    faults: [{ ...UPLOAD_END, answerAfter: { status: 204, body: '' } }],
    expected: 'survived',
    more: FEW,
    what: '204 is as good as 201.',
  },
];

/** What goes wrong where something is put, or looked for before. */
export const UPLOADS: readonly FaultRow[] = [
  ...HEADS,
  ...MOUNTS,
  ...SESSIONS,
  ...REDIRECTS,
  ...MANIFESTS,
];
