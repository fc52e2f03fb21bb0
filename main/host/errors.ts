import { ZodError } from "zod"

/** Turns whatever was thrown into one sentence for a person, and into details for a log. */

/** What the codes of the system mean to a person. */
const SYSTEM: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EACCES: "access is denied",
  EPERM: "access is denied",
  ENOENT: "the folder or file is gone",
  ENOTDIR: "a file stands where a folder should be",
  EISDIR: "a folder stands where a file should be",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  EIO: "the disk does not answer",
  ENODEV: "the disk is away",
  ENXIO: "the disk is away",
  EEXIST: "it exists already",
  ENAMETOOLONG: "the name is too long",
  EADDRINUSE: "the port is in use",
}

/** Why a call to the system failed, as a clause without a period; undefined where it was something else. */
export function systemReason(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === "string" ? SYSTEM[code] : undefined
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
  const { syscall, path } = (error ?? {}) as NodeJS.ErrnoException
  if (reason && syscall) return `${path ? `${path} cannot be used` : "That did not work"}: ${reason}.`
  const message = error instanceof Error ? error.message : typeof error === "string" ? error : ""
  const line = message.split("\n")[0]?.trim() ?? ""
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
