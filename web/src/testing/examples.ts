// Complete server messages for tests; a test changes only the fields that it is about.
import type { AxisState, Lease, Notice, State, Welcome } from "../wire/messages";

export const axis = (changes: Partial<AxisState> = {}): AxisState => ({
  link: "ready",
  reason: "",
  velocity: 0,
  position_deg: null,
  limit: 0,
  interval_ms: 40,
  ...changes,
});

export const state = (pan: Partial<AxisState> = {}, tilt: Partial<AxisState> = {}): State => ({
  type: "state",
  pan: axis(pan),
  tilt: axis(tilt),
  stage: { available: true, viewers: 1, reason: "" },
});

export const lease = (holder: Lease["holder"], changes: Partial<Lease> = {}): Lease => ({
  type: "lease",
  epoch: 1,
  holder,
  driver: "",
  can_take: true,
  can_ask: false,
  free_at: null,
  asked_until: null,
  ...changes,
});

export const notice = (code: Notice["code"], hold: number, axis: Notice["axis"] = "both"): Notice => ({
  type: "notice",
  code,
  axis,
  hold,
});

export const welcome = (changes: Partial<Welcome> = {}): Welcome => ({
  type: "welcome",
  session: "s-1",
  resend_ms: 50,
  dead_man_ms: 500,
  max_age_ms: 1000,
  server: 50_000,
  clock: 1000,
  head: "PONS PT",
  ...changes,
});
