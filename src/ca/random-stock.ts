/** A source of random octets: so many at each call, and never the same twice. */
type Random = (bytes: number) => Uint8Array;

const STOCK_BYTES = 4096;

/** Gives from a stock, since drawing few octets costs as much as drawing many. */
export function stocked(draw: Random): Random {
  let stock: Uint8Array = new Uint8Array();
  return (bytes) => {
    if (stock.length < bytes) stock = draw(Math.max(bytes, STOCK_BYTES));
    const given = stock.subarray(0, bytes);
    stock = stock.subarray(bytes);
    return given;
  };
}
