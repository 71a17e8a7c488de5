//! Ranks that are threads of one process, for tests.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::Ranks;

/// What one rank sends another.
enum Parcel {
    Bytes(Vec<u8>),
    Numbers(Vec<f32>),
}

/// A rank with a line to and from each other one, itself included.
pub(crate) struct Thread {
    rank: usize,
    to: Vec<Sender<Parcel>>,
    from: Vec<Mutex<Receiver<Parcel>>>,
}

/// `size` ranks that know each other.
pub(crate) fn ranks(size: usize) -> Vec<Thread> {
    let mut to: Vec<Vec<Sender<Parcel>>> = (0..size).map(|_| Vec::new()).collect();
    let mut from: Vec<Vec<Mutex<Receiver<Parcel>>>> = Vec::new();
    for _ in 0..size {
        let (mut lines, mut own) = (Vec::new(), to.iter_mut());
        for _ in 0..size {
            let (sender, receiver) = channel();
            own.next().expect("a list for each rank").push(sender);
            lines.push(Mutex::new(receiver));
        }
        from.push(lines);
    }
    let lines = to.into_iter().zip(from).enumerate();
    lines.map(|(rank, (to, from))| Thread { rank, to, from }).collect()
}

impl Thread {
    fn send(&self, to: usize, parcel: Parcel) {
        self.to[to].send(parcel).expect("the other rank is alive");
    }

    fn receive(&self, from: usize) -> Parcel {
        self.from[from].lock().unwrap().recv().expect("the other rank is alive")
    }

    fn numbers(&self, from: usize) -> Vec<f32> {
        match self.receive(from) {
            Parcel::Numbers(numbers) => numbers,
            Parcel::Bytes(_) => panic!("rank {from} is at another place"),
        }
    }
}

impl Ranks for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        (0..self.size()).for_each(|to| self.send(to, Parcel::Bytes(own.to_vec())));
        let bytes = |from| match self.receive(from) {
            Parcel::Bytes(bytes) => bytes,
            Parcel::Numbers(_) => panic!("rank {from} is at another place"),
        };
        (0..self.size()).map(bytes).collect()
    }

    fn trade(&self, to_each: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        to_each.into_iter().enumerate().for_each(|(to, own)| self.send(to, Parcel::Numbers(own)));
        (0..self.size()).map(|from| self.numbers(from)).collect()
    }

    fn join(&self, own: &[f32]) -> Vec<f32> {
        self.trade(vec![own.to_vec(); self.size()]).concat()
    }
}
