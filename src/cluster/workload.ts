import type { Digest } from '../oci/digest.ts';
import { type Fields, fieldsAt, listAt, textAt } from './fields.ts';
import { digestOfImageId } from './image-id.ts';
import { imagesOf, type Place, type PlacedImage } from './images.ts';
import type { Resource } from './resources.ts';

/** What a scan keeps of an object that runs images, or would. */
export interface Workload {
  readonly uid: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Fields;
  /** uid of the owner that made it, as a Deployment makes ReplicaSets */
  readonly controller: string | undefined;
  readonly images: readonly PlacedImage[];
  /** a ReplicaSet without pods, wanted or there: the history of a Deployment, for rollbacks */
  readonly isIdle: boolean;
}

export function workloadOf(object: unknown, resource: Resource): Workload {
  const metadata = fieldsAt(object, 'metadata');
  const namespace = textAt(metadata, 'namespace') ?? '';
  const name = textAt(metadata, 'name') ?? textAt(metadata, 'generateName') ?? '';
  const owners = listAt(metadata, 'ownerReferences').map((owner) => fieldsAt(owner));
  const controller = owners.find((owner) => owner['controller'] === true);
  return {
    // Manifests have no uid before they are applied.
    uid: textAt(metadata, 'uid') ?? `${resource.kind}/${namespace}/${name}`,
    kind: resource.kind,
    namespace,
    name,
    labels: fieldsAt(metadata, 'labels'),
    controller: controller && textAt(controller, 'uid'),
    images: imagesOf(object, resource),
    isIdle: resource.kind === 'ReplicaSet' && hasNoReplicas(object),
  };
}

function hasNoReplicas(object: unknown): boolean {
  const wanted = fieldsAt(object, 'spec')['replicas'];
  const there = fieldsAt(object, 'status')['replicas'] ?? 0;
  return wanted === 0 && there === 0;
}

const STATUSES: Readonly<Record<Place, string>> = {
  containers: 'containerStatuses',
  initContainers: 'initContainerStatuses',
  ephemeralContainers: 'ephemeralContainerStatuses',
  volumes: '',
};

/** The digest that a pod runs, or has run, for one of its images. */
export function runningDigest(pod: unknown, { place, container }: PlacedImage): Digest | undefined {
  const status = fieldsAt(pod, 'status');
  const imageId =
    place === 'volumes'
      ? volumeImageId(status, container)
      : textAt(namedIn(listAt(status, STATUSES[place]), container), 'imageID');
  return imageId === undefined ? undefined : digestOfImageId(imageId);
}

/** Image volumes have no status of their own: it stands with the containers that mount them. */
function volumeImageId(status: Fields, volume: string): string | undefined {
  const mounts = Object.values(STATUSES)
    .flatMap((list) => listAt(status, list))
    .map((container) => namedIn(listAt(fieldsAt(container), 'volumeMounts'), volume));
  return mounts
    .map((mount) => textAt(fieldsAt(mount, 'volumeStatus', 'image'), 'imageRef'))
    .find((imageId) => imageId !== undefined);
}

function namedIn(list: readonly unknown[], name: string): Fields {
  return fieldsAt(list.find((item) => fieldsAt(item)['name'] === name));
}
