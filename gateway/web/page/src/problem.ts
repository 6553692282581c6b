// SPDX-License-Identifier: Apache-2.0
import { ApiError } from "./api";
import { t } from "./strings";

/** What to tell a person about a failed call: the gateway's own words where it gave some. */
export function problemText(error: unknown): string {
  if (!(error instanceof ApiError) || error.status === 0) return t.errors.unreachable;
  return error.message || t.errors.status(String(error.status));
}
