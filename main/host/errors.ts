import { ZodError } from "zod"
import { CodedError, type Failure } from "../../contract/errors.ts"
import { systemReason } from "../files/system-reason.ts"

/** Turns whatever was thrown into one sentence for a person, and into details for a log. */

/** What a person can do about it. */
const ADVICE: Record<string, string> = {
  ENOSPC: " Make room, then try again.",
  EDQUOT: " Make room, then try again.",
  EROFS: " Make it writable, or choose another folder.",
}

const MOST = 300
const INSIDE = "Something went wrong inside the app; what was made is kept. The log file has the details."
const isProgrammingError = (error: unknown) =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof ReferenceError ||
  error instanceof SyntaxError

/**
 * What a person and a program are told of whatever was thrown: one sentence, never empty, never a stack, never the words of
 * a library. A plain refusal has no details.
 */
export function failureOf(error: unknown): Failure {
  const details = detailsOf(error)
  if (error instanceof CodedError) {
    const more = error.details ?? (error.cause === undefined ? undefined : details)
    return { code: error.code, message: inOneLine(error.message), ...(more === undefined ? {} : { details: more }) }
  }
  if (error instanceof ZodError || isProgrammingError(error)) return { code: "internal", message: INSIDE, details }
  const reason = systemReason(error)
  const { code = "", syscall, path } = (error ?? {}) as NodeJS.ErrnoException
  if (reason && syscall) {
    const what = path ? `${path} cannot be used` : "That did not work"
    return { code: "system", message: `${what}: ${reason}.${ADVICE[code] ?? ""}`, details }
  }
  const said = error instanceof Error ? error.message : typeof error === "string" ? error : ""
  const message = inOneLine(said)
  if (!message) return { code: "internal", message: INSIDE, details }
  const isPlain = error instanceof Error && error.cause === undefined && !said.includes("\n") && said.length <= MOST
  return { code: "refused", message, ...(isPlain ? {} : { details }) }
}

/** The first line; a terminal would take control characters for orders. */
function inOneLine(text: string): string {
  const [first = ""] = text.split("\n")
  return first
    .replace(/\p{Cc}/gu, " ")
    .trim()
    .slice(0, MOST)
}

/** One sentence for a person, whatever was thrown. */
export const sentenceOf = (error: unknown): string => failureOf(error).message

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
