/** Makes the folders that a dropped folder brings along, each once. */
import { isStatus } from '../api/http.ts';
import { patchAdded } from '../api/listings.ts';
import { createFolder, nodeByPath } from '../api/nodes.ts';
import type { FileNode } from '../api/shapes.ts';

export interface Place {
  readonly id: string;
  readonly path: string;
}

export class UploadFolders {
  /** By parent's id and path below it. Bounded by the queue: an entry for each folder of a file. */
  readonly #known = new Map<string, Promise<Place>>();

  /** The folder `below` (`a/b`) the given one. What is there already is used as it is. */
  async open(parent: Place, below: string): Promise<Place> {
    let place = parent;
    for (const name of below.split('/').filter((part) => part !== '')) {
      place = await this.#child(place, name);
    }
    return place;
  }

  #child(parent: Place, name: string): Promise<Place> {
    const key = `${parent.id}/${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const opened = this.#make(parent, name);
    this.#known.set(key, opened);
    // A failure is asked for again by the next file, or by another try.
    opened.catch(() => this.#known.delete(key));
    return opened;
  }

  async #make(parent: Place, name: string): Promise<Place> {
    try {
      const folder = await createFolder(parent.id, name);
      patchAdded(folder);
      return folder;
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      const path = `${parent.path === '/' ? '' : parent.path}/${name}`;
      const there: FileNode = await nodeByPath(path);
      if (there.kind !== 'folder') throw error;
      return there;
    }
  }

  forget(): void {
    this.#known.clear();
  }
}
