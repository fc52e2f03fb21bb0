import { type ParseArgsConfig, parseArgs } from "node:util"

/** The command line was not understood. Exit code 2. */
export class UsageError extends Error {
  override name = "UsageError"
}

type Options = NonNullable<ParseArgsConfig["options"]>

/** Parses a command's own arguments. @throws UsageError for an unknown option or a missing value */
export function parse<T extends Options>(args: string[], options: T, positionals: number) {
  try {
    const parsed = parseArgs({ args: withValues(args, options), options, allowPositionals: true, strict: true })
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

/** Joins an option and its value, which may begin with a dash: a list goes on as a prompt, a negative number is refused by name. */
export function withValues(args: string[], options: Options): string[] {
  const joined: string[] = []
  for (let i = 0; i < args.length; i++) {
    const [word = "", value] = [args[i], args[i + 1]]
    if (word === "--") return [...joined, ...args.slice(i)]
    const takesValue = word.startsWith("--") && options[word.slice(2)]?.type === "string"
    const isOption = value?.startsWith("--") && (value.slice(2).split("=")[0] ?? "") in options
    if (takesValue && value !== undefined && !isOption) {
      joined.push(`${word}=${value}`)
      i++
    } else joined.push(word)
  }
  return joined
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
