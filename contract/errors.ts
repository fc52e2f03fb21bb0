import { z } from "zod"

/** Errors as they cross from one process to another: a code for programs, a sentence for people. Texts are never compared. */

export const ErrorCode = z.enum([
  /** What was asked for cannot be done; the message says why. */
  "refused",
  /** A message that is not in the contract. */
  "invalid",
  /** The disk, the memory or another part of the system. */
  "system",
  /** A fault of the program. */
  "internal",
  /** A pack that is damaged, hostile or not what pack.json says. */
  "pack",
  /** The connection or the process was gone before there was an answer. */
  "closed",
  /** The engine was silent for so long that it was ended. */
  "hung",
  /** A GPU's driver took the engine with it. */
  "driver",
  /** A device is so slow that it was not measured to the end. */
  "tooSlow",
  /** What is referred to is no longer kept. */
  "gone",
])
export type ErrorCode = z.infer<typeof ErrorCode>

/** One line for a person, and what a log or a report may have besides: stacks, codes of the system. */
export const Failure = z.object({ code: ErrorCode, message: z.string(), details: z.string().optional() })
export type Failure = z.infer<typeof Failure>

/** An error that may cross a border. The message is one line for a person. */
export class CodedError extends Error {
  override name = "CodedError"
  readonly details: string | undefined

  constructor(
    readonly code: ErrorCode,
    message: string,
    { details, ...options }: ErrorOptions & { details?: string | undefined } = {},
  ) {
    super(message, options)
    this.details = details
  }
}

export const hasCode = (error: unknown, code: ErrorCode): error is CodedError =>
  error instanceof CodedError && error.code === code
