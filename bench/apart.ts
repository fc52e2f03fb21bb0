import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

/**
 * Runs a part of a benchmark in a process of its own: the module at `url` with `--part` and `part`, which prints JSON.
 * @returns undefined when it took longer than `minutes`
 */
export function apart<T>(url: string, part: string[], minutes = 600): T | undefined {
  const command = ["--import", "tsx", fileURLToPath(url), "--part", ...part]
  try {
    return JSON.parse(execFileSync(process.execPath, command, { encoding: "utf8", timeout: minutes * 60_000 }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ETIMEDOUT") return undefined
    throw error
  }
}

/** What follows `--part`, in such a process. */
export const partArguments = () => (process.argv[2] === "--part" ? process.argv.slice(3) : undefined)
