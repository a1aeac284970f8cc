import type { VersionList } from '@signet/http';

/** More than the units that can be free of one product: a PostgreSQL integer. */
const UNITS = 2 ** 31;

/**
 * A number that changes with everything a product's representation shows: the edits of its row, and
 * the units that are free, which change without the row.
 */
export function versionOf(edits: number, available: number): number {
  return edits * UNITS + available;
}

/** The edits among what a caller accepts: a sale in the meantime does not make an edit stale. */
export function editsAmong(accepted: VersionList | undefined): VersionList | undefined {
  if (accepted === undefined || accepted === '*') return accepted;
  return accepted.map((version) => Math.floor(version / UNITS));
}
