/**
 * A Set and a Map for what is nearly always none or one, and may be thousands: who waits in a lane, its sessions, its
 * domains. An empty `Set` takes 150 octets, and a lane had eight of them beside three Maps; these take 40 and grow into
 * the real ones with their second member.
 *
 * They give their members in the order of coming. What is added to one of less than two members while it is walked
 * through is not met in that walk.
 */
export class FewSet<Member> {
  #one: Member | undefined;
  #isOne = false;
  #more: Set<Member> | null = null;

  get size(): number {
    return this.#more?.size ?? (this.#isOne ? 1 : 0);
  }

  has(member: Member): boolean {
    return this.#more?.has(member) ?? (this.#isOne && this.#one === member);
  }

  add(member: Member): void {
    if (this.#more) this.#more.add(member);
    else if (!this.#isOne) {
      this.#one = member;
      this.#isOne = true;
    } else if (this.#one !== member) {
      this.#more = new Set([this.#one as Member, member]);
      this.#one = undefined;
    }
  }

  delete(member: Member): boolean {
    const isGone = this.#more ? this.#more.delete(member) : this.has(member);
    if (isGone && (this.#more?.size ?? 0) === 0) this.clear();
    return isGone;
  }

  clear(): void {
    this.#one = undefined;
    this.#isOne = false;
    this.#more = null;
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.#more?.values() ?? (this.#isOne ? [this.#one as Member] : []).values();
  }
}

export class FewMap<Key, Value> {
  #key: Key | undefined;
  #value: Value | undefined;
  #isOne = false;
  #more: Map<Key, Value> | null = null;

  get size(): number {
    return this.#more?.size ?? (this.#isOne ? 1 : 0);
  }

  get(key: Key): Value | undefined {
    return this.#more ? this.#more.get(key) : this.#isOne && this.#key === key ? this.#value : undefined;
  }

  set(key: Key, value: Value): void {
    if (this.#more) this.#more.set(key, value);
    else if (!this.#isOne || this.#key === key) {
      this.#key = key;
      this.#value = value;
      this.#isOne = true;
    } else {
      this.#more = new Map([
        [this.#key as Key, this.#value as Value],
        [key, value],
      ]);
      this.#key = undefined;
      this.#value = undefined;
    }
  }

  delete(key: Key): boolean {
    const isGone = this.#more ? this.#more.delete(key) : this.#isOne && this.#key === key;
    if (!isGone || (this.#more?.size ?? 0) > 0) return isGone;
    this.#key = undefined;
    this.#value = undefined;
    this.#isOne = false;
    this.#more = null;
    return true;
  }

  [Symbol.iterator](): IterableIterator<[Key, Value]> {
    const one: [Key, Value][] = this.#isOne ? [[this.#key as Key, this.#value as Value]] : [];
    return this.#more?.entries() ?? one.values();
  }
}
