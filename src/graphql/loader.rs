//! Nested lookups in batches: all the receivers that one answer's subscriptions ask for are one
//! question to the store, not one each.
//!
//! juniper resolves the elements of a list side by side. Each lookup puts its key on the list of wanted
//! ones and lets its siblings do the same; the first one to come back asks for all of them. A loader
//! lives for one request.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::future::BoxFuture;

use super::error::ApiError;

/// How often a lookup steps aside before it asks: its siblings may stand a few polls behind it where
/// fragments nest. Stepping aside costs nothing.
const STEPS_ASIDE: usize = 8;

/// Keys asked for in one question, well below what either database binds in a statement.
const BATCH: usize = 500;

/// Asks the store for the values of these keys; keys without a value are left out of the answer.
type Fetch<K, V> =
    Box<dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, ApiError>> + Send + Sync>;

/// Batches and remembers the lookups of one request.
pub struct Loader<K, V> {
    fetch: Fetch<K, V>,
    state: Mutex<State<K, V>>,
    /// Held while a question is under way; whoever waits for it mostly finds the answer.
    asking: tokio::sync::Mutex<()>,
}

struct State<K, V> {
    wanted: HashSet<K>,
    known: HashMap<K, Result<Option<V>, ApiError>>,
}

impl<K: Copy + Eq + Hash, V: Clone> Loader<K, V> {
    /// A loader that asks with `fetch`.
    pub fn new(
        fetch: impl Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, ApiError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            fetch: Box::new(fetch),
            state: Mutex::new(State {
                wanted: HashSet::new(),
                known: HashMap::new(),
            }),
            asking: tokio::sync::Mutex::new(()),
        }
    }

    /// The value of a key; `None` where the store has none.
    pub async fn load(&self, key: K) -> Result<Option<V>, ApiError> {
        if let Some(known) = self.want(key) {
            return known;
        }
        let (mut wanted, mut quiet) = (0, 0);
        while quiet < STEPS_ASIDE {
            tokio::task::yield_now().await;
            let now = self.lock().wanted.len();
            // A long list's elements come in several waves: while more come, there is something to wait for.
            quiet = if now > wanted { 0 } else { quiet + 1 };
            wanted = now;
        }
        let _asking = self.asking.lock().await;
        if let Some(known) = self.lock().known.get(&key) {
            return known.clone();
        }
        self.ask(key).await
    }

    /// Lays ready what was read before: it is not asked for.
    pub fn put(&self, key: K, value: V) {
        self.lock().known.insert(key, Ok(Some(value)));
    }

    /// Forgets what is known: a mutation may have changed it.
    pub fn forget(&self) {
        self.lock().known.clear();
    }

    fn want(&self, key: K) -> Option<Result<Option<V>, ApiError>> {
        let mut state = self.lock();
        let known = state.known.get(&key).cloned();
        if known.is_none() {
            state.wanted.insert(key);
        }
        known
    }

    async fn ask(&self, key: K) -> Result<Option<V>, ApiError> {
        let keys: Vec<K> = {
            let mut state = self.lock();
            state.wanted.remove(&key);
            let others: Vec<K> = state.wanted.iter().copied().take(BATCH - 1).collect();
            for other in &others {
                state.wanted.remove(other);
            }
            std::iter::once(key).chain(others).collect()
        };
        let answer = (self.fetch)(keys.clone()).await;
        let mut state = self.lock();
        match answer {
            Ok(mut found) => {
                let own = found.get(&key).cloned();
                for key in keys {
                    state.known.insert(key, Ok(found.remove(&key)));
                }
                Ok(own)
            }
            Err(error) => {
                for key in keys {
                    state.known.insert(key, Err(error.clone()));
                }
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        // The state is whole between any two statements, so a panic elsewhere did not break it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn counting(questions: &Arc<AtomicUsize>) -> Loader<i32, String> {
        let questions = questions.clone();
        Loader::new(move |keys: Vec<i32>| {
            questions.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                tokio::task::yield_now().await;
                if keys.contains(&-1) {
                    return Err(ApiError::internal(&"no"));
                }
                let even = keys.into_iter().filter(|key| key % 2 == 0);
                Ok(even.map(|key| (key, key.to_string())).collect())
            })
        })
    }

    #[tokio::test]
    async fn lookups_side_by_side_are_one_question() {
        let questions = Arc::default();
        let loader = counting(&questions);
        let found = futures::future::join_all((0..200).map(|key| loader.load(key % 100))).await;
        assert_eq!(questions.load(Ordering::Relaxed), 1);
        assert_eq!(found[4], Ok(Some("4".to_owned())));
        assert_eq!(found[5], Ok(None), "known to be absent");
        assert_eq!(loader.load(5).await, Ok(None));
        assert_eq!(questions.load(Ordering::Relaxed), 1, "remembered");
        loader.forget();
        assert_eq!(loader.load(4).await, Ok(Some("4".to_owned())));
        assert_eq!(questions.load(Ordering::Relaxed), 2, "asked again");
    }

    #[tokio::test]
    async fn no_question_is_larger_than_a_batch() {
        let questions = Arc::default();
        let loader = counting(&questions);
        let keys = i32::try_from(BATCH).unwrap() * 2 + 1;
        let found = futures::future::join_all((0..keys).map(|key| loader.load(key))).await;
        assert_eq!(questions.load(Ordering::Relaxed), 3);
        assert!(found.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_failure_reaches_everyone_who_asked() {
        let questions = Arc::default();
        let loader = counting(&questions);
        let found = futures::future::join_all([loader.load(-1), loader.load(2)]).await;
        assert!(found.iter().all(Result::is_err));
        assert_eq!(found[0], found[1], "one failure, one id");
    }
}
