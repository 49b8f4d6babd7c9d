import type { PlacedImage } from './images.ts';
import type { Workload } from './workload.ts';

/** The workloads that were read, by uid. */
export type Owners = ReadonlyMap<string, Workload>;

// CronJob, Job, Pod is the longest chain that Kubernetes makes; operators put a few more on top.
const MAXIMUM_CHAIN = 8;

/**
 * Whether an image needs no mention at this workload, because the owner that made it says the same and is
 * mentioned. An image that admission changed, or that an old revision still runs, does need one.
 */
export function isSaidByOwner(
  image: PlacedImage,
  workload: Workload,
  owners: Owners,
  chain = 0,
): boolean {
  const owner = ownerOf(workload, owners);
  if (!owner || chain > MAXIMUM_CHAIN || !hasImage(owner, image)) return false;
  return !isHistory(owner, owners) || isSaidByOwner(image, owner, owners, chain + 1);
}

/** Whether a workload is only kept so that its owner can be rolled back. */
export function isHistory(workload: Workload, owners: Owners): boolean {
  return workload.isIdle && ownerOf(workload, owners) !== undefined;
}

/** The workload at the top of the chain of owners that were read. */
export function topOwner(workload: Workload, owners: Owners, chain = 0): Workload {
  const owner = ownerOf(workload, owners);
  return owner && chain <= MAXIMUM_CHAIN ? topOwner(owner, owners, chain + 1) : workload;
}

function ownerOf({ controller }: Workload, owners: Owners): Workload | undefined {
  return controller === undefined ? undefined : owners.get(controller);
}

function hasImage({ images }: Workload, wanted: PlacedImage): boolean {
  return images.some(
    ({ image, place, container }) =>
      image === wanted.image && place === wanted.place && container === wanted.container,
  );
}
