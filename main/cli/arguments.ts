import { type ParseArgsConfig, parseArgs } from "node:util"

/** The command line was not understood. Exit code 2. */
export class UsageError extends Error {
  override name = "UsageError"
}

type Options = NonNullable<ParseArgsConfig["options"]>

/** Parses a command's own arguments. @throws UsageError for an unknown option or a missing value */
export function parse<T extends Options>(args: string[], options: T, positionals: number) {
  try {
    const parsed = parseArgs({ args, options, allowPositionals: true, strict: true })
    if (parsed.positionals.length !== positionals)
      throw new UsageError(
        parsed.positionals.length > positionals
          ? `unexpected argument "${parsed.positionals[positionals]}"; see megabyte --help`
          : "a file or folder is missing; see megabyte --help",
      )
    return parsed
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError((error as Error).message.split(". ")[0])
  }
}

/** A number between bounds. @throws UsageError */
export function number(
  name: string,
  value: string | undefined,
  fallback: number,
  { min, max, whole = false }: { min: number; max: number; whole?: boolean },
): number {
  if (value === undefined) return fallback
  const n = Number(value)
  if (value.trim() === "" || !Number.isFinite(n) || n < min || n > max || (whole && !Number.isInteger(n)))
    throw new UsageError(`--${name} must be a ${whole ? "whole " : ""}number from ${min} to ${max}, not "${value}"`)
  return n
}

/** `50%` or a number of units (bytes, rows), as a number of `total` units. @throws UsageError */
export function share(name: string, value: string, total: number, unit = "bytes"): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(value)
  const n = percent ? Math.floor((Number(percent[1]) / 100) * total) : Number(value)
  if (!Number.isInteger(n) || n < 0 || n > total || value.trim() === "")
    throw new UsageError(`--${name} must be a share such as 50% or at most ${total} ${unit}, not "${value}"`)
  return n
}
