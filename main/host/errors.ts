import { ZodError } from "zod"
import { systemReason } from "../files/system-reason.ts"

/** Turns whatever was thrown into one sentence for a person, and into details for a log. */

/** What a person can do about it. */
const ADVICE: Record<string, string> = {
  ENOSPC: " Make room, then try again.",
  EDQUOT: " Make room, then try again.",
  EROFS: " Make it writable, or choose another folder.",
}

const MOST = 300
const isProgrammingError = (error: unknown) =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof ReferenceError ||
  error instanceof SyntaxError

/** One sentence for a person, whatever was thrown: never empty, never a stack, never the words of a library. */
export function sentenceOf(error: unknown): string {
  const inside = "Something went wrong inside the app; what was made is kept. The log file has the details."
  if (error instanceof ZodError || isProgrammingError(error)) return inside
  const reason = systemReason(error)
  const { code = "", syscall, path } = (error ?? {}) as NodeJS.ErrnoException
  if (reason && syscall)
    return `${path ? `${path} cannot be used` : "That did not work"}: ${reason}.${ADVICE[code] ?? ""}`
  const message = error instanceof Error ? error.message : typeof error === "string" ? error : ""
  // A terminal would take control characters for orders.
  const line =
    message
      .split("\n")[0]
      ?.replace(/\p{Cc}/gu, " ")
      .trim() ?? ""
  return line ? line.slice(0, MOST) : inside
}

/** Everything that is known of what was thrown, for the log; never throws itself. */
export function detailsOf(error: unknown): string {
  try {
    if (error instanceof Error) {
      const { code, path, syscall } = error as NodeJS.ErrnoException
      const system = code ? ` [${[code, syscall, path].filter(Boolean).join(" ")}]` : ""
      const cause = error.cause === undefined ? "" : `\ncaused by ${detailsOf(error.cause)}`
      return `${error.stack ?? `${error.name}: ${error.message}`}${system}${cause}`
    }
    return typeof error === "string" ? error : (JSON.stringify(error) ?? String(error))
  } catch {
    return "an error that cannot be described"
  }
}
