import { copyFileSync, existsSync, lstatSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { PACK_FILES } from "../../../contract/files.ts"
import type { Pack } from "../../../contract/pack.ts"
import { Weights } from "../../engine/compile/weights.ts"
import { makeFolder } from "../../files/make-folder.ts"
import { type Described, ImportError, type ImportOptions, importModel } from "../../import/index.ts"
import { PackError } from "../../packs/error.ts"
import { readPack } from "../../packs/read.ts"
import { readSafetensors } from "../../packs/safetensors.ts"
import { usualFolder } from "../folders.ts"

/** Folders that a host hands to the services. */
export type AppPaths = {
  /** Packs that ship with the app. */
  shipped: string
  /** The person's own: imported packs, the library. */
  home: string
  /** Compiled graphs; may be deleted at any time. */
  cache: string
}

/**
 * Where things lie on this machine; MEGABYTE_HOME and MEGABYTE_CACHE move them.
 * @throws FolderError where neither they nor the system name a folder
 */
export function defaultPaths(): AppPaths {
  const { MEGABYTE_HOME: home, MEGABYTE_CACHE: cache } = process.env
  // The sources lie a folder deeper than a build's dist/main.
  const root = import.meta.url.endsWith(".ts") ? "../../.." : "../.."
  return {
    shipped: fileURLToPath(new URL(`${root}/native-models`, import.meta.url)),
    home: home ? resolve(home) : usualFolder("data"),
    cache: cache ? resolve(cache) : usualFolder("cache"),
  }
}

export type FoundPack = { folder: string; shipped: boolean } & ({ pack: Pack } | { problem: string })

/** Every pack there is, the person's own first; a damaged one comes with what is wrong with it. */
export function listPacks(places: AppPaths): FoundPack[] {
  const found: FoundPack[] = []
  for (const [root, shipped] of [
    [join(places.home, "packs"), false],
    [places.shipped, true],
  ] as const) {
    for (const name of namesIn(root)) {
      const folder = join(root, name)
      if (name.startsWith(".") || name.endsWith(".part")) continue // still on its way
      if (!existsSync(join(folder, "pack.json"))) continue
      try {
        found.push({ folder, shipped, pack: readPack(folder) })
      } catch (error) {
        found.push({ folder, shipped, problem: (error as Error).message })
      }
    }
  }
  return found
}

/** Names in a folder; none where it is not there, or no folder. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

/** The folder of the pack called `name`, or of a path to one. @throws PackError when there is none */
export function findPack(name: string, places: AppPaths): string {
  const packs = listPacks(places)
  const match = packs.find((p) => ("pack" in p ? p.pack.name === name : basename(p.folder) === name))
  if (match) return match.folder
  if (existsSync(join(name, "pack.json"))) return resolve(name)
  const names = packs.flatMap((p) => ("pack" in p ? [p.pack.name] : []))
  throw new PackError(
    `There is no pack "${name}"; there ${names.length === 1 ? "is" : "are"}: ${names.join(", ") || "none"}.`,
  )
}

/** The pack for a file: `wanted` where that is of the file's modality, otherwise one that is. @throws PackError */
export function packFor(modality: Pack["modality"], wanted: string | undefined, places: AppPaths): string {
  const packs = listPacks(places).flatMap((p) => ("pack" in p && p.pack.modality === modality ? [p.pack.name] : []))
  const name = [wanted, modality, packs[0]].find((n) => n !== undefined && packs.includes(n))
  if (name === undefined) throw new PackError(`There is no pack for ${modality}; import one first.`)
  return name
}

/** Removes an imported pack for good. @throws PackError for one that ships with the app */
export function removePack(name: string, places: AppPaths): void {
  const found = listPacks(places).find((p) => !p.shipped && ("pack" in p ? p.pack.name : basename(p.folder)) === name)
  if (!found) throw new PackError(`The pack ${name} came with the app and stays.`)
  rmSync(found.folder, { recursive: true, force: true })
}

/**
 * Takes in what a person points at: a pack's folder, or a file of another package's weights, of which a pack is made.
 * Returns the pack's name.
 * @throws PackError with a line for a person
 */
export function importPath(path: string, places: AppPaths, options: ImportOptions & Partial<Described> = {}): string {
  return statSync(path, { throwIfNoEntry: false })?.isFile()
    ? importWeights(path, places, options)
    : importPack(path, places)
}

/** Makes a pack of a file of another package's weights, which is called `file`. Returns its name. @throws PackError */
export function importWeights(
  path: string,
  places: AppPaths,
  options: ImportOptions & Partial<Described>,
  file = basename(path),
): string {
  const shipped = new Set(listPacks(places).flatMap((p) => (p.shipped && "pack" in p ? [p.pack.name] : [])))
  const own = slug(options.name ?? file.replace(/\.[^.]*$/, ""))
  const name = shipped.has(own) ? `imported-${own}`.slice(0, 63) : own
  try {
    putPack(name, places, (folder) => {
      importModel(path, folder, { name, file, license: options.license }, options)
      readPack(folder) // what it says of itself is checked as any pack's
    })
  } catch (error) {
    if (error instanceof ImportError) throw new PackError(`${file} was not imported. ${error.message}`)
    throw error
  }
  return name
}

/** Puts a pack among the person's, whole or not at all: `make` makes it as a folder that is not there yet. */
function putPack(name: string, places: AppPaths, make: (folder: string) => void): void {
  const target = packFolder(name, places)
  const temporary = `${target}.part`
  const discard = () => rmSync(temporary, { recursive: true, force: true })
  discard()
  try {
    makeFolder(dirname(target), 0o700)
    make(temporary)
    rmSync(target, { recursive: true, force: true })
    renameSync(temporary, target)
  } catch (error) {
    discard()
    throw error
  }
}

/** Where an imported pack lies. */
const packFolder = (name: string, places: AppPaths) => join(places.home, "packs", name)

/** A pack's name of some words. */
function slug(words: string): string {
  const plain = words.toLowerCase().replace(/[^a-z0-9]+/g, "-")
  return plain.replace(/^-+/, "").slice(0, 54).replace(/-+$/, "") || "imported"
}

/** Copies a pack into the person's packs after a full check of its weights. Returns its name. @throws PackError */
export function importPack(folder: string, places: AppPaths): string {
  for (const name of PACK_FILES) {
    const found = lstatSync(join(folder, name), { throwIfNoEntry: false })
    if (!found) throw new PackError(`There is no model pack in ${folder} (no ${name}).`)
    if (!found.isFile()) throw new PackError(`${join(folder, name)} is not an ordinary file.`)
  }
  const pack = readPack(folder)
  const path = join(folder, "weights.safetensors")
  const weights = new Weights(pack.model, readSafetensors(path), path)
  weights.check()
  try {
    putPack(pack.name, places, (copy) => {
      makeFolder(copy, 0o700)
      // The two files and nothing beside them; a link might lead anywhere, a pipe never ends.
      for (const name of PACK_FILES) copyFileSync(join(folder, name), join(copy, name))
    })
  } catch (error) {
    throw Object.assign(error as Error, { path: packFolder(pack.name, places) })
  }
  return pack.name
}
