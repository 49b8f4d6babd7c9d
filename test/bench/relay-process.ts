import { startRelay } from './relay.ts';

// A relay of its own process, so that its CPU is its own too: relay-process.ts TARGET ROUND_TRIP_MS [BITS_PER_SECOND]

const [target = '', roundTrip, bits] = process.argv.slice(2);
const relay = await startRelay(target, {
  roundTripMs: Number(roundTrip),
  ...(bits === undefined ? {} : { bitsPerSecond: Number(bits) }),
});
console.log(`listening on ${relay.host}`);
