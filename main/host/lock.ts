import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { z } from "zod"

/** Who holds a library. `began`: when the process began, as its number may come again. */
const Holder = z.object({ pid: z.int(), host: z.string(), began: z.string(), since: z.string() })
type Holder = z.infer<typeof Holder>

/** Another program has this library open. The message is one line for a person. */
export class LibraryInUse extends Error {
  override name = "LibraryInUse"
}

/** When a process began, by the system's own count, where the system tells. */
function beganOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  } catch {
    return ""
  }
}

function lives({ pid, host, began }: Holder): boolean {
  // Of another machine on a shared disk nothing is known: it is believed.
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false
  }
  return began === "" || began === beganOf(pid)
}

function holderOf(path: string): Holder | undefined {
  try {
    return Holder.parse(JSON.parse(readFileSync(path, "utf8")))
  } catch {
    return undefined // none, or half of one
  }
}

/**
 * Takes a library for this process alone, so that no two write to it; what a process that has ended left is taken over.
 * @returns what gives it back
 * @throws LibraryInUse with the holder's number
 */
export function lockLibrary(folder: string): () => void {
  const path = join(folder, ".lock")
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    began: beganOf(process.pid),
    since: new Date().toISOString(),
  }
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, `${JSON.stringify(own)}\n`, { flag: "wx", mode: 0o600 })
      return () => {
        const holder = holderOf(path)
        if (holder?.pid === own.pid && holder.since === own.since) rmSync(path, { force: true })
      }
    } catch (error) {
      // A disk that cannot be written to needs no lock.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return () => {}
    }
    const holder = holderOf(path)
    if (holder && lives(holder))
      throw new LibraryInUse(
        `The app is open already with this library (process ${holder.pid}${holder.host === own.host ? "" : ` on ${holder.host}`}); use that one, or close it first. The library: ${folder}`,
      )
    rmSync(path, { force: true, recursive: true })
  }
  return () => {}
}
