import type { PackSummary } from "../../contract/app.ts"
import { plural } from "../../contract/modality/modality.ts"
import { documentsOf } from "../../contract/pack.ts"

/** How long something will take or took, as a person says it. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return ""
  if (seconds < 1) return "a moment"
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3600)} h`
}

/** How much was made, in what a person counts it in: words, rows, seconds. */
export const amount = (bytes: number, pack: Pick<PackSummary, "modality" | "media"> | undefined): string =>
  pack ? documentsOf(pack).amount(bytes) : plural(bytes, "byte")

/** When something was made, beside `now`: the time of today, else the day. */
export function when(then: number, now = Date.now()): string {
  const [a, b] = [new Date(then), new Date(now)]
  const days = Math.round((new Date(b).setHours(0, 0, 0, 0) - new Date(a).setHours(0, 0, 0, 0)) / 86_400_000)
  if (days === 0) return a.toLocaleTimeString("en", { hour: "numeric", minute: "2-digit" })
  if (days === 1) return "yesterday"
  if (days < 7) return a.toLocaleDateString("en", { weekday: "long" })
  const year = a.getFullYear() === b.getFullYear() ? {} : ({ year: "numeric" } as const)
  return a.toLocaleDateString("en", { day: "numeric", month: "short", ...year })
}

/** Bits per byte, for people. */
export const bits = (value: number) => value.toFixed(value < 0.1 ? 3 : 2)

/** A share of certainty as a percentage: whole ones, and more places where they are small. */
export function percent(share: number): string {
  if (share < 5e-5) return "< 0.01 %"
  return `${(100 * share).toFixed(share >= 0.1 ? 0 : share >= 0.01 ? 1 : 2)} %`
}

/** A byte as one character to look at. */
export const glyph = (byte: number) =>
  byte === 10 ? "↵" : byte === 32 ? "␣" : byte > 32 && byte < 127 ? String.fromCharCode(byte) : "·"
