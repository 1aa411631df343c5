// bloomfilter comes without types.
declare module "bloomfilter" {
  export class BloomFilter {
    static withTargetError(items: number, errorRate: number): BloomFilter;
    add(item: string): void;
    test(item: string): boolean;
  }
}
