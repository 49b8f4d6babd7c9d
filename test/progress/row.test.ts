import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FlightView } from '../../src/progress/flight.ts';
import { laneRow, totalRow } from '../../src/progress/row.ts';
import type { TallyView } from '../../src/progress/tally.ts';
import { widthOf } from '../../src/progress/width.ts';
import { blobNamed, pretendedImages, taskFrom } from './pretend.ts';

const flight: FlightView = {
  task: taskFrom('quay.io/prometheus/node-exporter:v1.8.2', 'registry.example.com/team/exporter:1'),
  moved: 12_300_000,
  total: 30_100_000,
  placed: 1,
  blobs: 3,
  moving: [blobNamed('layer', 30_100_000)],
  rate: 8_400_000,
  millisecondsLeft: 2_119,
  retry: undefined,
};

const view: TallyView = {
  images: 38,
  inspected: 38,
  planning: false,
  copied: 10,
  skipped: 1,
  failed: 1,
  moved: 1_200_000_000,
  total: 4_500_000_000,
  rate: 84_100_000,
  millisecondsLeft: 125_000,
  flights: [],
};

test('At 80 columns a lane and the total stand in the same columns', () => {
  const rows = [laneRow(flight, 78), totalRow(view, 78)];

  assert.deepEqual(rows, [
    'quay.io…/node-exporter:v1.8.2   12.3 MB /  30.1 MB  40%   8.4 MB/s          2s',
    '12 of 38 images, 1 failed        1.2 GB /   4.5 GB  26%  84.1 MB/s  eta 2m 05s',
  ]);
});

test('A wide terminal also shows a bar and the digest that is on its way', () => {
  const row = laneRow(flight, 198);

  assert.match(
    row,
    /^quay\.io\/prometheus\/node-exporter:v1\.8\.2 {35}[0-9a-f]{12} {2}━{13}─{19} {3}12\.3 MB/,
  );
});

test('A narrow terminal shows less, and the name to the last', () => {
  const rows = [60, 45, 30, 12].map((width) => laneRow(flight, width));

  assert.deepEqual(rows, [
    'q…/node-exporter:v1.8.2   12.3 MB /  30.1 MB  40%   8.4 MB/s',
    'quay…xporter:v1.8.2   12.3 MB /  30.1 MB  40%',
    'quay.io/…/node-exporter:v1.8.2',
    'qu…er:v1.8.2',
  ]);
});

test('While nothing is on its way a lane tells how many blobs are there', () => {
  assert.match(laneRow({ ...flight, moving: [] }, 78), /v1\.8\.2 {2}checking, 1 of 3 blobs there$/);
});

test('An image that waits to be tried again says for how long', () => {
  const row = laneRow({ ...flight, retry: { attempt: 2, millisecondsLeft: 4_600 } }, 78);

  assert.match(row, /v1\.8\.2 {2}retry 2 in 5s$/);
});

test('What is not known yet is left empty', () => {
  const row = laneRow({ ...flight, rate: undefined, millisecondsLeft: undefined }, 78);

  assert.match(row, / 40%$/);
});

test('While images are looked at the total says how many were', () => {
  const row = totalRow({ ...view, planning: true, inspected: 12, moved: 0, total: 0 }, 78);

  assert.equal(row, 'planning 12/38');
});

test('While images are looked at and others are copied there is no total and no time left', () => {
  const row = totalRow({ ...view, planning: true, inspected: 12 }, 78);

  assert.match(row, /^\d+ of 38 images, 1 failed .* GB so far .* MB\/s +12 seen$/);
});

test('A run that sends nothing shows only its count', () => {
  const row = totalRow({ ...view, failed: 0, moved: 0, total: 0 }, 78);

  assert.equal(row, '11 of 38 images');
});

test('No row is wider than the terminal, whatever the numbers', () => {
  const images = pretendedImages(7);
  const amount = fc.option(fc.maxSafeNat(), { nil: undefined });
  fc.assert(
    fc.property(
      fc.nat(6),
      fc.integer({ min: 1, max: 250 }),
      fc.maxSafeNat(),
      amount,
      (index, width, moved, rate) => {
        const task = images[index]?.task ?? flight.task;
        const pace = { moved, total: Number.MAX_SAFE_INTEGER, rate, millisecondsLeft: rate };
        const rows = [
          laneRow({ ...flight, ...pace, task }, width),
          laneRow({ ...flight, task, moving: [] }, width),
          laneRow({ ...flight, task, retry: { attempt: 9, millisecondsLeft: moved } }, width),
          totalRow({ ...view, ...pace, images: moved }, width),
          totalRow({ ...view, planning: true }, width),
        ];
        for (const row of rows) assert.ok(widthOf(row) <= width, `${width}: ${row}`);
      },
    ),
  );
});
