import { Worker } from "node:worker_threads"
import { tooLarge } from "../../../contract/files.ts"
import { type MediaProtocol, mediaProtocol } from "../../../contract/media.ts"
import { type Handlers, serveRpc } from "../../../contract/rpc.ts"
import { parentChannel } from "../../process/parent.ts"
import { detailsOf, failureOf } from "../errors.ts"
import { importPack, importWeights } from "../packs/find.ts"
import { detect } from "./detect.ts"
import { MediaError } from "./error.ts"
import { media } from "./index.ts"
import { MOST_MEMORY, MOST_WORK } from "./limits.ts"
import { type Source, withFile } from "./source.ts"

/**
 * The process that reads files of people: what a decoder does to it does not touch the app. It ends itself when it holds
 * or works too much; how long it may take its host watches. Packs are checked and converted in another one of its kind.
 */

/** Bytes that are read of one file, counting what is read twice. */
const MOST_READ = 4 * 2 ** 30

/** Microseconds of a processor that had been used when the file was begun. */
const begun = new Float64Array(new SharedArrayBuffer(8))
let isWatched = false

/** Begins a file: from here on the process ends where it holds or works too much. */
function begin(): void {
  const { user, system } = process.cpuUsage()
  begun[0] = user + system
  if (isWatched) return
  isWatched = true
  // A thread of its own: a decoder may keep this one busy for as long as it likes.
  new Worker(
    `const { workerData: begun } = require("node:worker_threads")
    setInterval(() => {
      if (process.memoryUsage.rss() > ${MOST_MEMORY}) process.kill(process.pid, "SIGKILL")
      const { user, system } = process.cpuUsage()
      if (user + system - begun[0] < ${MOST_WORK * 1000}) return
      try { process.kill(process.pid, "SIGXCPU") } catch {} // Windows has no such signal: there the clock decides
    }, 20)`,
    { eval: true, workerData: begun },
  ).unref()
}

/** A source that refuses to be read for ever. */
function limited(name: string, source: Source): Source {
  let read = 0
  return {
    length: source.length,
    subarray(begin, end) {
      read += Math.max(0, Math.min(end, source.length) - begin)
      if (read > MOST_READ) throw new MediaError(tooLarge(name, "what can be read in one go"))
      return source.subarray(begin, end)
    },
  }
}

/** What `read` makes of a file. @throws MediaError, also where a decoder throws what is for programmers */
async function answer<T>({ name, path }: { name: string; path: string }, read: (source: Source) => T | Promise<T>) {
  begin()
  try {
    const value = await withFile(path, async (file) => read(limited(name, file)))
    return { value, held: process.memoryUsage.rss() }
  } catch (error) {
    if (error instanceof MediaError) throw error
    const message = `${name} cannot be read; it is damaged, or of a kind that is not known here.`
    throw new MediaError(message, { details: detailsOf(error) })
  }
}

const handlers: Handlers<MediaProtocol> = {
  detect: (file) => answer(file, (source) => detect(file.name, source)),
  read: ({ pack, framing, columns, ...file }) =>
    answer(file, (source) => media[pack.modality].read(file.name, source, pack, { framing, columns })),
  importPack: ({ folder, places }) => importPack(folder, places),
  importWeights: ({ path, file, options, places }) => importWeights(path, places, options, file),
}

// What a decoder throws outside of its call costs the file that it read.
process.on("uncaughtException", () => process.exit(1))
process.on("unhandledRejection", () => process.exit(1))

serveRpc(parentChannel(), mediaProtocol, handlers, failureOf)
