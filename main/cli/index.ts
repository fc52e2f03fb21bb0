#!/usr/bin/env node
import { UsageError } from "./arguments.ts"
import { run } from "./commands.ts"

/** `megabyte …`: exit code 0 done, 1 failed, 2 wrong usage; one line on stderr says what went wrong. */
try {
  await run(process.argv.slice(2))
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`megabyte: ${message.split("\n")[0]}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
