//! What a simulated study promises: the same bytes from the same seed, records that refer to each other, rates as
//! planned, and anomalies where the ledger says and nowhere else.
mod main {
    mod anomalies;
    mod extract;
    mod ledger;
    mod null_study;
    mod platform;
    mod rates;
    mod recovery;
    mod references;
    mod reproducibility;
    mod sdtm;
}
