import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOfImageId } from '../../src/cluster/image-id.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('the image ID in the status of a pod', () => {
  const pullable: readonly [string, string][] = [
    ['containerd and CRI-O', `docker.io/library/nginx@${DIGEST}`],
    ['cri-dockerd', `docker-pullable://nginx@${DIGEST}`],
    ['a registry with a port', `registry.example:5000/team/app@${DIGEST}`],
  ];
  for (const [who, imageId] of pullable)
    it(`gives the digest as ${who} writes it`, () => {
      assert.equal(digestOfImageId(imageId), DIGEST);
    });

  const others: readonly [string, string][] = [
    ['a container that has not started', ''],
    ['an image that was loaded from a file', DIGEST],
    ['docker with an image of its own', `docker://${DIGEST}`],
    ['CRI-O with a bare identifier', 'ab'.repeat(32)],
    ['a server that makes something up', 'nginx@sha256:short'],
  ];
  for (const [who, imageId] of others)
    it(`gives none for ${who}`, () => {
      assert.equal(digestOfImageId(imageId), undefined);
    });
});
