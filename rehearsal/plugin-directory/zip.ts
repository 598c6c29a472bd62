import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

/** One name in an archive. A folder's name ends with a slash. */
export interface ZipEntry {
  readonly name: string;
  readonly content: string | Buffer;
  /** Unix file mode with its type, for example 0o120777 of a symbolic link. Default: an ordinary file or folder. */
  readonly mode?: number;
}

/** 1 January 1980, the first day that the format knows: an archive of the same files is the same bytes. */
const DAY = 0x0021;
const UTF8_NAMES = 0x0800;

/**
 * Packs entries as they are given, also those that nobody should unpack. At most 65,535 entries and 4 GiB.
 */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const packed = entries.map(({ name, content, mode }) => {
    const bytes = Buffer.from(content);
    return {
      name: Buffer.from(name),
      bytes: deflateRawSync(bytes),
      size: bytes.length,
      checksum: crc32(bytes),
      mode: mode ?? (name.endsWith('/') ? 0o040755 : 0o100644),
    };
  });
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, size, checksum, mode } of packed) {
    // What the local header and the central directory share: flags, deflate, time, day, checksum, sizes, name's length.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(UTF8_NAMES, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(DAY, 8);
    common.writeUInt32LE(checksum, 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(name.length, 22);
    files.push(Buffer.from('PK\x03\x04'), common, name, bytes);
    const place = Buffer.alloc(14);
    // The upper half of the attributes, of the system that is named in the header: 3, Unix.
    place.writeUInt16LE(mode, 8);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, place, name);
    offset += 4 + common.length + name.length + bytes.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(packed.length, 4);
  end.writeUInt16LE(packed.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, central, Buffer.from('PK\x05\x06'), end]);
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;

/**
 * Unpacks an archive of files that were stored or deflated, of less than 4 GiB.
 *
 * @throws Error when it is no such archive, or an entry is damaged
 */
export function unzip(archive: Buffer): ZipEntry[] {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06'));
  if (end < 0 || archive.readUInt32LE(end) !== END) throw new Error('it is not a zip file');
  const count = archive.readUInt16LE(end + 10);
  const entries: ZipEntry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    if (archive.readUInt32LE(at) !== CENTRAL) throw new Error('its table of contents is damaged');
    const [method, checksum] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 16)];
    const [packed, nameLength] = [archive.readUInt32LE(at + 20), archive.readUInt16LE(at + 28)];
    const others = archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
    const mode = archive.readUInt16LE(at + 40);
    const header = archive.readUInt32LE(at + 42);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const begin = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
    const bytes = archive.subarray(begin, begin + packed);
    if (method !== STORED && method !== DEFLATED) throw new Error(`${name} is packed in a way that is not known here`);
    const content = method === STORED ? bytes : inflateRawSync(bytes);
    if (crc32(content) !== checksum) throw new Error(`${name} is not what it was packed from`);
    entries.push({ name, content, mode });
    at += 46 + nameLength + others;
  }
  return entries;
}
