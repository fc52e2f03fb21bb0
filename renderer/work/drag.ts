import { modalities } from "../../contract/modality/index.ts"
import { fileName } from "../lib/bytes.ts"
import { ITEM_TYPE } from "../lib/drag.ts"
import { views } from "../modality/index.ts"
import type { ModalityView } from "../modality/view.ts"

/**
 * Lets an item be dragged: inside the window by its id, onto the desktop as its ordinary file (Chromium writes what
 * DownloadURL names when the drag ends there).
 * @param image a picture as a data: address, where it is known
 */
export function dragOut(data: DataTransfer, shown: Parameters<ModalityView["dragged"]>[0], image?: string): void {
  const { id, modality, title } = shown.item
  data.setData(ITEM_TYPE, id)
  const url = views[modality].dragged(shown, image)
  const [form] = Object.values(modalities[modality].forms)
  if (url && form) data.setData("DownloadURL", `${form.mime}:${fileName(title, form.extension)}:${url}`)
}
