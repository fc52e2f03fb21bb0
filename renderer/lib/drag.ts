/** Type of data that says which item of the library is being dragged. */
export const ITEM_TYPE = "application/x-megabyte-item"

/** The files of a drop, those inside of dropped folders too. Must be called in the drop's own turn. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry())
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files]
  const files = await Promise.all(entries.map((entry) => (entry ? filesOf(entry) : [])))
  return files.flat()
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail))]
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const inside = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail))
  return (await Promise.all(inside.filter((e) => e.isFile).map(filesOf))).flat()
}
