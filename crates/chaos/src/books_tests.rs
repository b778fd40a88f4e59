//! Tests.

use super::*;

fn record(place: u8, units: &[u32]) -> Vec<u8> {
    let mut bytes = vec![place];
    bytes.extend([0; 35]);
    bytes.push(units.len() as u8);
    bytes.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
    bytes
}

#[test]
fn units_are_where_their_records_say() {
    let mut found = Inventory::default();
    for (place, units) in [(0, &[1, 2][..]), (1, &[3]), (2, &[4]), (5, &[6])] {
        found.take(&record(place, units)).unwrap();
    }
    assert_eq!(found.held, [1, 2].into());
    assert_eq!(found.sold, [3, 6].into());
    assert!(found.twice.is_empty());
    found.take(&record(1, &[2])).unwrap();
    assert_eq!(found.twice, [2]);
    assert!(found.take(&[0; 10]).is_none());
}
