import type { ForeignOptions } from "../../contract/app.ts"
import { LARGEST_FILE, PACK_FILES, tooLarge } from "../../contract/files.ts"
import type { Core } from "./core.ts"
import { upload } from "./uploads.ts"

/** What was on its way when the connection was lost. */
const NOT_IMPORTED = "The pack was not imported"

/** Packs that are handed over: this app's own, and weights of other packages, of which packs are made. */
export function createImports({ get, set, host, tell, notify }: Core) {
  return {
    /** Makes a pack of the weights that wait, as a person has described them; without a word of them lets them go. */
    async importWeights(options?: ForeignOptions): Promise<void> {
      const { weights } = get()
      set({ weights: undefined })
      if (!weights || !options) return
      if (weights.size > LARGEST_FILE) return notify("problem", tooLarge(weights.name, "8 GB"))
      notify("info", `${weights.name} is being copied and read.`)
      const file = crypto.randomUUID()
      try {
        await upload(host, weights, file)
        const pack = await host.call("importWeights", { file, name: weights.name, options })
        notify("info", `A pack was made of ${weights.name}: ${pack} is ready.`)
      } catch (error) {
        tell(error, NOT_IMPORTED)
      }
    },
    /** Hands a pack to the host in pieces. */
    async importPack(json: File, weights: File): Promise<void> {
      notify("info", `${weights.name} is being copied and checked.`)
      const [jsonName, weightsName] = PACK_FILES
      try {
        await upload(host, json, jsonName)
        await upload(host, weights, weightsName)
        notify("info", `The pack ${await host.call("import", {})} was checked and is ready.`)
      } catch (error) {
        tell(error, NOT_IMPORTED)
      }
    },
  }
}
export type Imports = ReturnType<typeof createImports>
