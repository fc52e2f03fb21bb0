import type { ForeignOptions, Framing } from "../../contract/app.ts"
import { LARGEST_FILE, PACK_FILES, tooLarge } from "../../contract/files.ts"
import type { Core } from "./core.ts"
import { heardByBrowser } from "./hear.ts"
import type { Uploads } from "./uploads.ts"

/** Names of other packages' weights. */
const FOREIGN = /\.(pt|pth|safetensors)$/i

/** What is dropped, pasted, chosen or recorded. */
export function createFiles(core: Core, uploads: Uploads) {
  const { get, set, send, notify } = core
  /** Files that wait for the runs of those before. */
  const queue: File[] = []
  let several = false
  /** The file that is being read, and how a picture is to be framed. */
  let read: { file: File; framing: Framing } | undefined

  const actions = {
    async openFile(file: File, framing: Framing = { crop: 0.5, dithered: false }): Promise<void> {
      if (file.size === 0) return notify("problem", `${file.name} is empty: there is nothing to go on from.`)
      if (file.size > LARGEST_FILE) return notify("problem", tooLarge(file.name, "8 GB"))
      const name = crypto.randomUUID()
      set({ opening: file.name })
      read = { file, framing }
      const heard = await heardByBrowser(file)
      if (heard) notify("info", `The sound of ${file.name} is taken.`)
      if (await uploads.upload(heard ?? file, name))
        send({ type: "open", name: file.name, pack: get().settings.pack, file: name, framing })
    },
    /** The file that was opened last, where `name` is its name. */
    lastRead: (name: string) => (read?.file.name === name ? read : undefined),
    /** Reads the draft's picture again, framed in another way. */
    async reframe(change: Partial<Framing>): Promise<void> {
      const { file } = get().draft
      if (file && !get().opening) await actions.openFile(file.file, { ...file.framing, ...change })
    },
    /** One of the files that came with the app, as if it were dropped. */
    async openExample(name: string): Promise<void> {
      const answer = await fetch(`./examples/${name}`)
      if (!answer.ok) return notify("problem", `The example ${name} cannot be read.`)
      await actions.openFile(new File([await answer.blob()], name))
    },
    /** What was dropped: a pack (its two files, or a folder that holds them), or files to go on from. */
    async drop(files: File[]): Promise<void> {
      const [json, weights] = PACK_FILES.map((name) => files.find((f) => f.name === name))
      if (json && weights) return actions.importPack(json, weights)
      if (json || weights)
        return notify("problem", `A pack is two files, ${PACK_FILES.join(" and ")}; drop both, or their folder.`)
      const [first, ...rest] = files
      if (!first) return
      if (!rest.length && FOREIGN.test(first.name)) return set({ weights: first, view: "models" })
      if (!rest.length) return actions.openFile(first)
      notify("info", `${files.length} files: each is gone on from, one after the other.`)
      queue.push(...files)
      await actions.next()
    },
    /** Whether the file that was just opened is one of several, and so begins by itself. */
    isOneOfSeveral: () => several,
    /** The next file of a drop of several, once nothing is being written. */
    async next(): Promise<void> {
      const file = get().run || get().opening ? undefined : queue.shift()
      several = file !== undefined
      if (!file) return
      await actions.openFile(file)
      if (file.size === 0) await actions.next()
    },
    /** Makes a pack of the weights that wait, as a person has described them; without a word of them lets them go. */
    async importWeights(options?: ForeignOptions): Promise<void> {
      const { weights } = get()
      set({ weights: undefined })
      if (!weights || !options) return
      if (weights.size > LARGEST_FILE) return notify("problem", tooLarge(weights.name, "8 GB"))
      notify("info", `${weights.name} is being copied and read.`)
      const file = crypto.randomUUID()
      if (await uploads.upload(weights, file)) send({ type: "importWeights", file, name: weights.name, options })
    },
    /** Hands a pack to the host in pieces. */
    async importPack(json: File, weights: File): Promise<void> {
      notify("info", `${weights.name} is being copied and checked.`)
      const [jsonName, weightsName] = PACK_FILES
      if ((await uploads.upload(json, jsonName)) && (await uploads.upload(weights, weightsName)))
        send({ type: "import" })
    },
  }
  return actions
}
export type Files = ReturnType<typeof createFiles>
