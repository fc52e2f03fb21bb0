import { isMeasured } from "../../../contract/pack.ts"
import { defaultPaths, listPacks } from "../../host/packs/find.ts"
import { parse } from "../arguments.ts"
import { flag } from "../options.ts"

/** `megabyte packs`: prints the packs there are. */
export function packsCommand(args: string[]): void {
  const { values } = parse(args, { json: flag }, 0)
  const all = listPacks(defaultPaths())
  if (values.json) {
    process.stdout.write(`${JSON.stringify(all)}\n`)
    return
  }
  for (const p of all) {
    if ("problem" in p) process.stdout.write(`${p.folder}  DAMAGED: ${p.problem}\n`)
    else {
      const { name, title, modality, parameters, heldOut, license } = p.pack
      const held = isMeasured(p.pack) ? `${heldOut.bitsPerByte} bits/byte held out` : "not measured"
      const size = `${(parameters / 1e6).toFixed(1)}M parameters`
      process.stdout.write(`${name}  ${title} (${modality}), ${size}, ${held}, ${license}\n`)
    }
  }
}
