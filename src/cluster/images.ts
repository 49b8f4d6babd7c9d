import { type Fields, fieldsAt, isFields, listAt, textAt } from './fields.ts';
import type { Resource } from './resources.ts';

const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

/** The list of a pod's spec that an image stands in. */
export type Place = (typeof CONTAINERS)[number] | 'volumes';

/** One image as an object writes it, with where it stands. */
export interface PlacedImage {
  readonly image: string;
  readonly place: Place;
  /** name of the container; of the volume where the image is one */
  readonly container: string;
}

// Deeper than any schema nests pods; an object that goes on below wants to keep us busy.
const MAXIMUM_DEPTH = 32;

/**
 * Finds the images of any object: containers, init containers, ephemeral containers and image volumes.
 * Where the resource does not say where its pods stand, everything that looks like a pod's spec counts.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 */
export function imagesOf(object: unknown, { podSpec }: Pick<Resource, 'podSpec'>): PlacedImage[] {
  if (podSpec) return imagesOfPodSpec(fieldsAt(object, ...podSpec));
  return podSpecsIn(object).flatMap(imagesOfPodSpec);
}

/** A container without image is a patch of another one, and injectors write an empty image: neither counts. */
function imagesOfPodSpec(spec: Fields): PlacedImage[] {
  const containers = CONTAINERS.flatMap((place) =>
    listAt(spec, place).map((container) => ({ place, container, image: container })),
  );
  // `rbd.image` is a disk of Ceph; only `image.reference` is pulled from a registry.
  const volumes = listAt(spec, 'volumes').map((volume) => ({
    place: 'volumes' as const,
    container: volume,
    image: { image: fieldsAt(volume, 'image')['reference'] },
  }));
  return [...containers, ...volumes].flatMap(({ place, container, image }) => {
    const written = textAt(fieldsAt(image), 'image');
    if (written === undefined) return [];
    return [{ image: written, place, container: textAt(fieldsAt(container), 'name') ?? '' }];
  });
}

/** Every object below `value` that holds a list of containers; metadata and status are not looked into. */
function podSpecsIn(value: unknown, depth = 0): Fields[] {
  if (depth > MAXIMUM_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((item) => podSpecsIn(item, depth + 1));
  if (!isFields(value)) return [];
  const below = Object.entries(value)
    .filter(([key]) => key !== 'metadata' && key !== 'status')
    .flatMap(([, child]) => podSpecsIn(child, depth + 1));
  return isPodSpec(value) ? [value, ...below] : below;
}

function isPodSpec(fields: Fields): boolean {
  return CONTAINERS.some((place) =>
    listAt(fields, place).some((container) => textAt(fieldsAt(container), 'image') !== undefined),
  );
}
