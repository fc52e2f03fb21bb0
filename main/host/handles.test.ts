import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterEach, beforeEach, describe, expect, it } from "vitest"

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "megabyte-handles-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const script = join(import.meta.dirname, "../../test/support/no-handles.ts")
/** A process of its own, with a limit of its own. */
async function withoutHandles(left: number) {
  const limited = 'ulimit -n 96; exec "$0" --import tsx "$@"'
  const { stdout } = await promisify(execFile)("sh", ["-c", limited, process.execPath, script, home, String(left)])
  return JSON.parse(stdout)
}

describe.skipIf(process.platform === "win32")("a run while no handles are left", () => {
  // With one left the first of the two files that belong together opens, and the second does not.
  it.each([0, 1])(
    "is told, waits in memory, and is whole and not doubled once there are some: %i left",
    async (left) => {
      expect(await withoutHandles(left)).toEqual({
        notices: [
          "The system says: EMFILE.",
          "What is being written cannot be saved: too many files are open. It waits in memory until that is mended; Stop keeps what is on the disk.",
          "What was written is on the disk again.",
        ],
        status: "done",
        text: "Once upon a time",
        bytes: 16,
        bits: 64,
      })
    },
  )
})
