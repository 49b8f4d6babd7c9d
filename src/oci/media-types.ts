export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+json';
export const DOCKER_SCHEMA_1_SIGNED = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

/**
 * What we ask a registry for. Schema 1 is asked for last, so that we can name it in an error instead of
 * being told that the tag does not exist; the wildcard brings manifests of types that nobody has heard of.
 */
export const ACCEPTED_MANIFESTS = [
  OCI_INDEX,
  OCI_MANIFEST,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_ARTIFACT,
  `${DOCKER_SCHEMA_1_SIGNED};q=0.5`,
  '*/*;q=0.1',
].join(', ');
