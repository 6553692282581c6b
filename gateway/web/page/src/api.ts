// SPDX-License-Identifier: Apache-2.0
//
// The gateway's HTTP API as this page uses it: the shapes of its answers, and one client for the calls.
//
// Units stand in the names (_s seconds, _ms milliseconds, _bps bits a second); everything else that counts data is in
// bytes. A null says "not known"; fields marked ? may be missing from a gateway older than the page.

/** RFC 3339 text, or milliseconds since 1970. */
export type Instant = string | number;

export interface Ledger {
  accepted: number;
  delivered: number;
  expired: number;
  conflated: number;
  dropped: number;
  queued: number;
  duplicates: number;
}

export interface ClassStatus {
  name: string;
  queued: number;
  queued_bytes: number;
  oldest_s: number | null;
  delivered: number;
  paused: boolean;
  bytes_in_flight?: number;
  expired?: number;
  conflated?: number;
  dropped?: number;
  hold_reason?: string | null;
}

export interface PlanStatus {
  name: string;
  included: number;
  used: number;
  /** For all but emergencies, whose reserve is not in it; null: nothing limits the use. */
  left: number | null;
  percent: number;
  cost: number | string;
  currency: string;
  resets_at: Instant;
  forecast_end_bytes: number | null;
  runs_out_at: Instant | null;
  daily_allowance: number | null;
  state: string;
  reserve: number;
}

export interface LinkStatus {
  name: string;
  transport: string;
  state: string;
  rate_bps: number | null;
  rtt_ms: number | null;
  payload_up: number;
  wire_up: number;
  wire_down: number;
  session_opens: number;
  inflight_bytes: number;
  rate_down_bps?: number | null;
  up_since_s?: number | null;
  last_contact_s?: number | null;
  wire_up_today?: number;
  wire_down_today?: number;
  frame_up?: number;
  plan?: PlanStatus | null;
}

export interface Status {
  name: string;
  version: string;
  uptime_s: number;
  clock: { trusted: boolean };
  verdict: { ok: boolean; text: string };
  mesh: { connected: boolean; durable: boolean; note?: string | null; accepted_last_minute?: number };
  ledger: Ledger;
  classes: ClassStatus[];
  links: LinkStatus[];
  store?: { ok: boolean; bytes: number; max_bytes: number; note?: string | null; written_today?: number | null };
  last_delivered_s?: number | null;
}

export interface Message {
  id: number | string;
  topic: string;
  class: string;
  node: string;
  kind: string | number | null;
  state: string;
  reason: string | null;
  bytes: number;
  accepted_at: Instant | null;
  age_s: number;
  delivered_at: Instant | null;
  cost: number | string | null;
  wire_bytes: number | null;
}

export interface Session {
  user: string;
  role: string;
  csrf: string;
}

export type Credentials = { password: string } | { code: string };

/** An answer other than success; `message` is the problem document's own words. Status 0: no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfterS = 0,
  ) {
    super(message);
  }
}

// A gateway on a busy small machine answers in well under a second; beyond this it counts as not answering.
const kTimeoutMs = 10_000;

export class Api {
  #csrf = "";

  /** Called when the gateway says that nobody is signed in any more. */
  onSignedOut: () => void = () => {};

  /** Who is signed in; null when nobody is. */
  async session(): Promise<Session | null> {
    try {
      const session = await this.#call<Session>("GET", "session");
      this.#csrf = session.csrf;
      return session;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  }

  signIn(credentials: Credentials): Promise<void> {
    return this.#call("POST", "session", credentials);
  }
  signOut(): Promise<void> {
    return this.#call("DELETE", "session");
  }
  status(): Promise<Status> {
    return this.#call("GET", "status");
  }
  async messages(limit: number): Promise<Message[]> {
    return (await this.#call<{ messages: Message[] }>("GET", `messages?limit=${limit}`)).messages;
  }
  send(message: { topic: string; payload: string; class: string }): Promise<{ id: number | string }> {
    return this.#call("POST", "messages", message);
  }
  setPaused(className: string, paused: boolean): Promise<void> {
    return this.#call("POST", `classes/${encodeURIComponent(className)}/${paused ? "pause" : "resume"}`, {});
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (method !== "GET" && this.#csrf) headers["X-Tulpar-Csrf"] = this.#csrf;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), kTimeoutMs);
    try {
      const response = await fetch(`/api/v1/${path}`, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        signal: abort.signal,
      });
      const text = await response.text();
      if (response.status === 401 && path !== "session") this.onSignedOut();
      if (!response.ok) throw problem(response, text);
      return (text ? JSON.parse(text) : undefined) as T;
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new ApiError(0, "");
    } finally {
      clearTimeout(timer);
    }
  }
}

function problem(response: Response, text: string): ApiError {
  let words = "";
  try {
    const document = JSON.parse(text) as { detail?: string; title?: string };
    words = document.detail ?? document.title ?? "";
  } catch {
    // Not a problem document (a proxy's page, say): the status code has to do.
  }
  const retryAfter = Number(response.headers.get("Retry-After"));
  return new ApiError(response.status, words, Number.isFinite(retryAfter) ? retryAfter : 0);
}
