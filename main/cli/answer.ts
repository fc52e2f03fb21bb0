import { sentenceOf } from "../host/errors.ts"
import { UsageError } from "./arguments.ts"
import { Interrupted } from "./interrupted.ts"

/**
 * Does what a command line asks for. Exit code 0 done, 1 failed, 2 wrong usage, 130 interrupted before anything was made;
 * one line on stderr says what went wrong.
 */
export async function answer(work: () => Promise<void>): Promise<void> {
  const end = (error: unknown) => {
    process.stderr.write(`megabyte: ${sentenceOf(error)}\n`)
    process.exitCode = error instanceof UsageError ? 2 : error instanceof Interrupted ? 130 : 1
  }
  // Whoever reads may have had enough, such as `head`: that is no fault, and there is nobody to tell.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1))
  process.on("uncaughtException", (error) => {
    end(error)
    process.exit(1)
  })
  try {
    await work()
  } catch (error) {
    end(error)
  }
}
