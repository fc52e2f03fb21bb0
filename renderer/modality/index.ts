import type { Modality } from "../../contract/modality/index.ts"
import { bytes } from "../bytes/modality.tsx"
import { image } from "../picture/modality.tsx"
import { audio } from "../sound/modality.tsx"
import { text } from "../text/modality.tsx"
import type { ModalityView } from "./view.ts"

/** How things of each modality are shown; contract/modality says what they are. */
export const views: Record<Modality, ModalityView> = { text, image, audio, bytes }
