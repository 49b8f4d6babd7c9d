export type { Cluster } from './cluster/cluster.ts';
export { type ConnectOptions, connect } from './cluster/connect.ts';
export { ClusterError } from './cluster/errors.ts';
export type { ImageUse, Inventory, Usage } from './cluster/inventory.ts';
export { readManifests } from './cluster/manifests.ts';
export { type ScanOptions, scan } from './cluster/scan.ts';
export { type CopyOptions, copyAll } from './copy/copy.ts';
export type { Defaults } from './copy/defaults.ts';
export type { Ends } from './copy/ends.ts';
export { CopyError, InvalidRuleError } from './copy/errors.ts';
export type { BlobFate, CopyEvent, Listener, Outcome } from './copy/events.ts';
export { type Forecast, forecast } from './copy/forecast.ts';
export type { Limit, Room } from './copy/limit.ts';
export { type PlanReport, planReportOf } from './copy/plan-report.ts';
export { Queue, type QueueOptions } from './copy/queue.ts';
export { type CopyReport, reportOf } from './copy/report.ts';
export { parseRules, type Rule, type Rules } from './copy/rules.ts';
export type { Task } from './copy/task.ts';
export { expandRules, type Tasks } from './copy/tasks.ts';
export { type Verification, verify } from './copy/verify.ts';
export { type VerifyReport, verifyReportOf } from './copy/verify-report.ts';
export type { Descriptor, Platform } from './oci/descriptor.ts';
export type { Digest } from './oci/digest.ts';
export { StoreError } from './oci/errors.ts';
export type { Manifest } from './oci/manifest.ts';
export {
  formatReference,
  parseReference,
  type Reference,
  type RepositoryName,
} from './oci/reference.ts';
export type { Destination, Source } from './oci/store.ts';
export {
  type Credential,
  type CredentialSource,
  firstOf,
  type Login,
} from './registry/credentials.ts';
export { CredentialError, NetworkError, RegistryError } from './registry/errors.ts';
export {
  openRegistries,
  type Registries,
  type RegistriesOptions,
  type RegistrySettings,
} from './registry/registry.ts';
